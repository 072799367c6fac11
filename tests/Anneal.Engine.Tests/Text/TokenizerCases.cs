using System.Text.Json;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Text;

/// <summary>Runs one folder of the tokenizer reference: tokenizer.json with its cases, decodings and long text.</summary>
internal static class TokenizerCases
{
    private const int FaultsShown = 5;

    /// <summary>Runs all that a folder has; gives the faults found and how many comparisons were made.</summary>
    public static (List<string> Faults, int Compared) Run(string folder)
    {
        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        List<string> faults = [];
        int compared = 0;
        foreach (JsonElement test in Lines(Path.Combine(folder, "cases.jsonl")))
        {
            string text = test.GetProperty("text").GetString()!;
            int[] expected = Numbers(test.GetProperty("ids"));
            int[] ids = tokenizer.Encode(text, test.GetProperty("add_special_tokens").GetBoolean());
            Encoding encoding = tokenizer.EncodeWithOffsets(text, test.GetProperty("add_special_tokens").GetBoolean());
            string[] tokens = [.. test.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()!)];
            compared += 3;
            Compare(faults, $"ids of {Show(text)}", expected, ids);
            Compare(faults, $"ids with offsets of {Show(text)}", expected, encoding.Ids);
            Compare(faults, $"tokens of {Show(text)}", tokens, expected.Select(i => tokenizer.IdToToken(i) ?? "(none)"));
            CheckOffsets(faults, text, encoding);
            compared += CompareDecoded(faults, tokenizer, test, expected);
        }

        foreach (JsonElement test in Lines(Path.Combine(folder, "decode.jsonl")))
        {
            compared += CompareDecoded(faults, tokenizer, test, Numbers(test.GetProperty("ids")));
        }

        string longIds = Path.Combine(folder, "long.json");
        if (File.Exists(longIds))
        {
            string text = System.Text.Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, "..", "long.txt")));
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(longIds));
            compared++;
            Compare(faults, "ids of long.txt", Numbers(document.RootElement.GetProperty("ids")), tokenizer.Encode(text));
        }

        return (faults, compared);
    }

    /// <summary>The faults as one message, empty if there are none.</summary>
    public static string Describe(List<string> faults) => faults.Count == 0
        ? ""
        : $"{faults.Count} faults, the first of them:\n{string.Join('\n', faults.Take(FaultsShown))}";

    private static int CompareDecoded(List<string> faults, Tokenizer tokenizer, JsonElement test, int[] ids)
    {
        string what = $"of [{string.Join(", ", ids.Take(40))}]";
        Compare(faults, $"decoded_skip {what}", test.GetProperty("decoded_skip").GetString(), tokenizer.Decode(ids, skipSpecialTokens: true));
        Compare(faults, $"decoded_keep {what}", test.GetProperty("decoded_keep").GetString(), tokenizer.Decode(ids));
        if (!test.TryGetProperty("stream", out JsonElement stream))
        {
            return 2;
        }

        StreamingDecoder decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: true);
        string[] pieces = [.. ids.Select(decoder.Push)];
        string[] whole = [.. stream.EnumerateArray().Select(s => s.GetString()!)];
        string[] early = test.TryGetProperty("stream_early", out JsonElement e) ? [.. e.EnumerateArray().Select(s => s.GetString()!)] : whole;
        if (!pieces.SequenceEqual(whole))
        {
            Compare(faults, $"stream {what}", early, pieces);
        }

        Compare(faults, $"flushed stream {what}", test.GetProperty("decoded_skip").GetString(), string.Concat(pieces) + decoder.Flush());
        return 4;
    }

    /// <summary>Offsets lie in the text, never run backwards by more than a shared character, and never cut a surrogate pair.</summary>
    private static void CheckOffsets(List<string> faults, string text, Encoding encoding)
    {
        for (int i = 0; i < encoding.Ids.Length; i++)
        {
            (int start, int end) = (encoding.Starts[i], encoding.Ends[i]);
            bool ordered = start >= 0 && start <= end && end <= text.Length;
            bool whole = ordered && !Inside(start) && !Inside(end);
            if (!ordered || !whole)
            {
                faults.Add($"token {i} of {Show(text)} has the offsets {start} to {end}");
            }
        }

        bool Inside(int at) => at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) && char.IsHighSurrogate(text[at - 1]);
    }

    private static void Compare<T>(List<string> faults, string what, IEnumerable<T> expected, IEnumerable<T> actual)
    {
        if (!expected.SequenceEqual(actual))
        {
            faults.Add($"{what}:\n  expected [{string.Join(", ", expected)}]\n  got      [{string.Join(", ", actual)}]");
        }
    }

    private static void Compare(List<string> faults, string what, string? expected, string actual)
    {
        if (expected != actual)
        {
            faults.Add($"{what}:\n  expected {Show(expected!)}\n  got      {Show(actual)}");
        }
    }

    private static IEnumerable<JsonElement> Lines(string path) =>
        File.ReadLines(path).Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement);

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(n => n.GetInt32())];

    private static string Show(string text) => string.Concat(text.Take(120).Select(c => c is >= ' ' and < '\u007F' ? c.ToString() : $"\\u{(int)c:x4}"));
}
