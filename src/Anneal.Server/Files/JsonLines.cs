using System.Text;
using System.Text.Json;
using Anneal.Server.Http;

namespace Anneal.Server.Files;

/// <summary>
/// The first look at a training file: every line must be a JSON object. What is in the objects is checked when a job uses the
/// file, because that depends on the method.
/// </summary>
internal static class JsonLines
{
    private const int FaultyLinesTold = 10;

    /// <summary>Null when the content is JSONL, else what is wrong, in upstream's words, with the numbers of faulty lines.</summary>
    public static string? FindFault(Stream content, CancellationToken cancellation)
    {
        List<long> faulty = [];
        string? firstHint = null;
        long lines = 0;
        long faults = 0;
        LineReader reader = new(content, RequestLimits.JsonLineBytesMax);
        while (reader.Next(out ReadOnlySpan<byte> line))
        {
            cancellation.ThrowIfCancellationRequested();
            if (Trim(line).IsEmpty)
            {
                continue;
            }
            lines++;
            if (!IsObject(line))
            {
                faults++;
                firstHint ??= Hint(line);
                if (faulty.Count < FaultyLinesTold)
                {
                    faulty.Add(reader.LineNumber);
                }
            }
        }
        if (reader.TooLong)
        {
            return $"Line {reader.LineNumber} is longer than the limit of {RequestLimits.JsonLineBytesMax} bytes.";
        }
        if (lines == 0)
        {
            return "The file is empty. Expected file to have JSONL format, where every line is a JSON dictionary.";
        }
        return faults == 0 ? null : Message(faulty, faults, firstHint!);
    }

    private static string Message(List<long> faulty, long faults, string hint)
    {
        StringBuilder message = new();
        message.Append("Expected file to have JSONL format, where every line is a JSON dictionary. ");
        message.Append($"Line {faulty[0]} is not a dictionary (HINT: line starts with: \"{hint}...\").");
        if (faults > 1)
        {
            message.Append($" {faults} lines are not: {string.Join(", ", faulty)}{(faults > faulty.Count ? ", …" : "")}.");
        }
        return message.ToString();
    }

    private static bool IsObject(ReadOnlySpan<byte> line)
    {
        Utf8JsonReader reader = new(line);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Hint(ReadOnlySpan<byte> line)
    {
        string text = Encoding.UTF8.GetString(line[..Math.Min(line.Length, 64)]);
        return text[..Math.Min(text.Length, 8)];
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8);
}
