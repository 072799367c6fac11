using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;

namespace Anneal.Server.Runs;

/// <summary>
/// What a job leaves open. The numbers behind <c>"auto"</c> follow what upstream was seen to choose; the rest, which its API
/// does not offer, is what works for adapters.
/// </summary>
internal static class TrainingDefaults
{
    private const int EpochsUsual = 3;
    private const int EpochsMax = 25;
    private const int SeenExamplesMin = 100;
    private const int SeenExamplesMax = 25_000;
    private const double BatchShare = 0.002;
    private const int BatchSizeMax = 256;

    /// <summary>The job's hyperparameters with a number in place of every <c>"auto"</c>.</summary>
    /// <param name="hyperparametersJson">As the user gave them.</param>
    /// <param name="examples">Examples of the training file.</param>
    public static string Resolve(string hyperparametersJson, int examples)
    {
        JsonObject resolved = JsonNode.Parse(hyperparametersJson)!.AsObject();
        Set(resolved, "n_epochs", JsonValue.Create(Epochs(examples)));
        Set(resolved, "batch_size", JsonValue.Create(BatchSize(examples)));
        Set(resolved, "learning_rate_multiplier", JsonValue.Create(1.0));
        return resolved.ToJsonString();
    }

    /// <summary>The engine's options for a job.</summary>
    /// <param name="hyperparameters">Numbers, as <see cref="Resolve"/> gives them.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="examples">Examples of the training file.</param>
    /// <param name="hiddenSize">The base model's width.</param>
    /// <param name="adapterFolder">The adapter to go on from, or null.</param>
    public static SupervisedOptions Supervised(
        JsonElement hyperparameters, long seed, int examples, int hiddenSize, string? adapterFolder)
    {
        int epochs = hyperparameters.GetProperty("n_epochs").GetInt32();
        int batchSize = hyperparameters.GetProperty("batch_size").GetInt32();
        double multiplier = hyperparameters.GetProperty("learning_rate_multiplier").GetDouble();
        long steps = (long)((examples + batchSize - 1) / batchSize) * epochs;
        return new SupervisedOptions
        {
            Lora = new LoraOptions { Rank = 16, Alpha = 32 },
            AdapterFolder = adapterFolder,
            Epochs = epochs,
            BatchSize = batchSize,
            LearningRate = multiplier * LearningRate(hiddenSize),
            Schedule = ScheduleKind.Linear,
            WarmupSteps = (int)Math.Min(steps / 20, 100),
            ClipNorm = 1,
            Seed = (ulong)seed,
            ValidationInterval = (int)Math.Clamp(steps / 10, 1, 10),
            MemoryBytes = MemoryBytes(),
        };
    }

    /// <summary>
    /// The rate that a multiplier of 1 stands for. Wide models want smaller steps: the best rate of adapters falls roughly with
    /// the root of the width, from 5e-4 at 2000 ("LoRA Without Regret", 2025, fits exponents between 0.08 and 0.78 by family).
    /// </summary>
    private static double LearningRate(int hiddenSize) => 5e-4 * Math.Sqrt(2000.0 / hiddenSize);

    /// <summary>Three, but each example set is seen at least 100 and at most 25 000 times as examples.</summary>
    private static int Epochs(int examples)
    {
        if (EpochsUsual * examples < SeenExamplesMin)
        {
            return Math.Min(EpochsMax, SeenExamplesMin / examples);
        }
        return EpochsUsual * examples > SeenExamplesMax ? Math.Max(1, SeenExamplesMax / examples) : EpochsUsual;
    }

    private static int BatchSize(int examples) =>
        (int)Math.Clamp(Math.Round(examples * BatchShare, MidpointRounding.AwayFromZero), 1, BatchSizeMax);

    /// <summary>Most of what this machine, or the container it is in, has. The rest is for the server and its caches.</summary>
    private static long MemoryBytes() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 5 * 4;

    private static void Set(JsonObject hyperparameters, string name, JsonValue chosen)
    {
        bool auto = hyperparameters[name] is not JsonValue given || given.GetValueKind() == JsonValueKind.String;
        if (auto)
        {
            hyperparameters[name] = chosen;
        }
    }
}
