using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Anneal.Engine.Architectures;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;

namespace Anneal.Engine.Methods;

/// <summary>A hash over everything that decides what a run computes, so that a run state is not resumed under another run.</summary>
internal static class RunFingerprint
{
    /// <summary>Hashes base model, options and data. The memory limit is left out: it does not change the numbers.</summary>
    public static string Of(BaseModel model, SupervisedOptions options, IReadOnlyList<TokenizedExample> train)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Text(model.Fingerprint);
        Text(options.AdapterFolder is { } folder ? AdapterOf(folder) : Describe(options.Lora));
        Text(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Epochs}|{options.BatchSize}|{options.LearningRate:R}|{options.Schedule}|{options.WarmupSteps}|"));
        Text(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.WeightDecay:R}|{options.DecayEverything}|{options.ClipNorm:R}|{options.Beta1:R}|{options.Beta2:R}|"));
        Text(string.Create(
            CultureInfo.InvariantCulture, $"{options.Epsilon:R}|{options.Seed}|{options.Shuffle}"));
        foreach (TokenizedExample example in train)
        {
            Text(example.Ids.Length.ToString(CultureInfo.InvariantCulture));
            hash.AppendData(MemoryMarshal.AsBytes<int>(example.Ids));
            hash.AppendData(MemoryMarshal.AsBytes<float>(example.Weights));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Text(string text)
        {
            // The terminator keeps two texts from being one text split elsewhere.
            hash.AppendData(Encoding.UTF8.GetBytes(text));
            hash.AppendData([0]);
        }
    }

    private static string AdapterOf(string folder) => string.Concat(
        ((string[])[LoraCheckpoint.ConfigFile, LoraCheckpoint.TensorFile])
            .Select(name => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, name))))));

    private static string Describe(LoraOptions? lora) => lora is null ? "full" : string.Create(
        CultureInfo.InvariantCulture,
        $"{lora.Rank}|{lora.Alpha:R}|{lora.Dropout:R}|{lora.RankStabilized}|{string.Join(',', lora.Targets)}|")
        + string.Join(',', lora.RankPattern.Select(p => $"{p.Key}={p.Value}")) + "|"
        + string.Join(',', lora.AlphaPattern.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Key}={p.Value:R}")));
}
