using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Anneal.Engine.Text;

namespace Anneal.Engine.Data;

/// <summary>Everything there is to say about a file of training data before it is used.</summary>
/// <param name="Lines">Lines of the file.</param>
/// <param name="Examples">Lines that are right.</param>
/// <param name="Faults">All faults, those of the chat template included.</param>
/// <param name="Duplicates">Lines whose conversation stands in an earlier line already.</param>
/// <param name="Overlap">Lines whose conversation stands in the validation file too.</param>
/// <param name="Tokens">What a model makes of the examples; null if no model was given.</param>
public sealed record ChatFileReport(
    int Lines,
    int Examples,
    IReadOnlyList<DataFault> Faults,
    IReadOnlyList<RepeatedLine> Duplicates,
    IReadOnlyList<RepeatedLine> Overlap,
    TokenReport? Tokens)
{
    /// <summary>Whether a training job can use the file.</summary>
    public bool IsUsable => Faults.Count == 0;

    /// <summary>Looks at a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="validation">The validation file that is used beside it, if there is one.</param>
    /// <param name="text">The model to tokenize for; null to look at the file alone.</param>
    /// <param name="maxLength">Tokens of an example that are kept.</param>
    /// <param name="now">The time that chat templates see; <see cref="Masking.DefaultNow"/> if null.</param>
    public static ChatFileReport Of(
        ChatFileContents file, ChatFileContents? validation, ModelText? text, int maxLength, DateTimeOffset? now = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        List<DataFault> faults = [.. file.Faults];
        TokenReport? tokens = text is null ? null : TokenReport.Of(file.Examples, text, maxLength, now, faults);
        if (ChatFile.CheckCount(file.Examples.Count) is DataFault tooFew)
        {
            faults.Add(tooFew);
        }

        Dictionary<string, int> firstLines = new(StringComparer.Ordinal);
        List<RepeatedLine> duplicates = [];
        foreach (ChatExample example in file.Examples)
        {
            string key = Key(example);
            if (!firstLines.TryAdd(key, example.Line))
            {
                duplicates.Add(new RepeatedLine(example.Line, firstLines[key]));
            }
        }

        List<RepeatedLine> overlap = [];
        foreach (ChatExample example in validation?.Examples ?? [])
        {
            if (firstLines.TryGetValue(Key(example), out int line))
            {
                overlap.Add(new RepeatedLine(line, example.Line));
            }
        }

        return new ChatFileReport(file.LineCount, file.Examples.Count, faults, duplicates, overlap, tokens);
    }

    private static string Key(ChatExample example)
    {
        JsonObject whole = new() { ["m"] = example.Messages.DeepClone(), ["t"] = example.Tools?.DeepClone() };
        return Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(whole.ToJsonString())));
    }
}

/// <summary>A conversation that stands in two places.</summary>
/// <param name="Line">Line of the file looked at.</param>
/// <param name="Other">Line of its first place: in the same file, or in the validation file.</param>
public sealed record RepeatedLine(int Line, int Other);

/// <summary>Examples counted in tokens of one model.</summary>
/// <param name="Tokens">Tokens of all examples, after truncation.</param>
/// <param name="TrainedTokens">Those that count in the loss.</param>
/// <param name="Truncated">Lines that were cut at the end.</param>
/// <param name="TruncatedTokens">Tokens that were cut off.</param>
/// <param name="Untrained">Lines in which, after truncation, no token is trained.</param>
/// <param name="Longest">Tokens of the longest example before truncation.</param>
/// <param name="Histogram">How many examples have how many tokens before truncation, in steps of powers of two.</param>
public sealed record TokenReport(
    long Tokens,
    long TrainedTokens,
    IReadOnlyList<int> Truncated,
    long TruncatedTokens,
    IReadOnlyList<int> Untrained,
    int Longest,
    IReadOnlyList<LengthCount> Histogram)
{
    /// <summary>Tokenizes examples and counts; what the chat template refuses becomes a fault.</summary>
    internal static TokenReport Of(
        IReadOnlyList<ChatExample> examples, ModelText text, int maxLength, DateTimeOffset? now, List<DataFault> faults)
    {
        long tokens = 0;
        long trained = 0;
        long cut = 0;
        int longest = 0;
        List<int> truncated = [];
        List<int> untrained = [];
        SortedDictionary<int, int> lengths = [];
        foreach (ChatExample example in examples)
        {
            TokenizedExample tokenized;
            try
            {
                tokenized = Masking.Tokenize(example, text, maxLength, out _, now);
            }
            catch (MaskingException e)
            {
                string pointer = e.MessageIndex is int m ? $"/messages/{m}" : "/messages";
                faults.Add(new DataFault(example.Line, pointer, DataFaultCodes.TemplateRefused, e.Message));
                continue;
            }

            tokens += tokenized.Ids.Length;
            trained += tokenized.TrainedTokens;
            longest = Math.Max(longest, tokenized.OriginalLength);
            int bin = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, tokenized.OriginalLength));
            lengths[bin] = lengths.GetValueOrDefault(bin) + 1;
            if (tokenized.OriginalLength > tokenized.Ids.Length)
            {
                truncated.Add(example.Line);
                cut += tokenized.OriginalLength - tokenized.Ids.Length;
            }

            if (tokenized.TrainedTokens == 0)
            {
                untrained.Add(example.Line);
            }
        }

        return new TokenReport(tokens, trained, truncated, cut, untrained, longest, [.. lengths.Select(l => new LengthCount(l.Key, l.Value))]);
    }
}

/// <summary>One bar of a histogram of lengths.</summary>
/// <param name="UpTo">The most tokens that an example counted here has; the fewest is one more than half of it.</param>
/// <param name="Examples">How many there are.</param>
public sealed record LengthCount(int UpTo, int Examples);
