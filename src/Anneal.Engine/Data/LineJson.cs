using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Anneal.Engine.Data;

/// <summary>JSON of one line, with every fault of its bytes and keys.</summary>
internal static class LineJson
{
    private const int MaxDepth = 64;

    /// <summary>The value; null if the line cannot be read at all. Of keys that occur twice the last one counts.</summary>
    public static JsonNode? Parse(int line, ReadOnlyMemory<byte> bytes, List<DataFault> faults)
    {
        if (!Utf8.IsValid(bytes.Span))
        {
            faults.Add(new DataFault(line, "", DataFaultCodes.InvalidUtf8, InvalidUtf8(line, bytes.Span)));
            return null;
        }

        try
        {
            Utf8JsonReader reader = new(bytes.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            JsonNode? value = Read(ref reader, line, "", faults);
            reader.Read();
            return value;
        }
        catch (JsonException e)
        {
            faults.RemoveAll(f => f.Code == DataFaultCodes.DuplicateKey);
            faults.Add(new DataFault(line, "", DataFaultCodes.InvalidJson, InvalidJson(line, bytes.Span, e)));
        }
        catch (InvalidOperationException)
        {
            faults.Add(new DataFault(line, "", DataFaultCodes.InvalidJson,
                $"Invalid file format. Example {line} cannot be parsed. Error: line contains invalid json: "
                + $"a \\u escape stands for half of a surrogate pair (line {line}). Write the character itself, or both halves."));
        }

        return null;
    }

    private static JsonNode? Read(ref Utf8JsonReader reader, int line, string pointer, List<DataFault> faults)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject: return ReadObject(ref reader, line, pointer, faults);
            case JsonTokenType.StartArray: return ReadArray(ref reader, line, pointer, faults);
            case JsonTokenType.String: return JsonValue.Create(reader.GetString());
            case JsonTokenType.True: return JsonValue.Create(true);
            case JsonTokenType.False: return JsonValue.Create(false);
            case JsonTokenType.Null: return null;
            default: return JsonValue.Create(JsonElement.ParseValue(ref reader));
        }
    }

    private static JsonObject ReadObject(ref Utf8JsonReader reader, int line, string pointer, List<DataFault> faults)
    {
        JsonObject json = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string key = reader.GetString()!;
            string place = $"{pointer}/{Escape(key)}";
            if (json.ContainsKey(key))
            {
                faults.Add(new DataFault(line, place, DataFaultCodes.DuplicateKey,
                    $"Example {line}: the key '{key}' occurs twice in one object; keep one of them."));
            }

            reader.Read();
            json[key] = Read(ref reader, line, place, faults);
        }

        return json;
    }

    private static JsonArray ReadArray(ref Utf8JsonReader reader, int line, string pointer, List<DataFault> faults)
    {
        JsonArray array = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            array.Add(Read(ref reader, line, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{array.Count}"), faults));
        }

        return array;
    }

    /// <summary>A key as one part of a JSON pointer.</summary>
    public static string Escape(string key) =>
        key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string InvalidUtf8(int line, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            return "The file is UTF-16; save it as UTF-8.";
        }

        int at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out int width) == OperationStatus.Done)
        {
            at += width;
        }

        return $"Line {line} is not UTF-8: its byte {at + 1} (0x{bytes[at]:X2}) belongs to no character. Save the file as UTF-8.";
    }

    private static string InvalidJson(int line, ReadOnlySpan<byte> bytes, JsonException e)
    {
        int at = (int)Math.Clamp(e.BytePositionInLine ?? 0, 0, bytes.Length);
        int column = System.Text.Encoding.UTF8.GetCharCount(bytes[..at]) + 1;
        string reason = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
        string hint = line == 1 && bytes.TrimEnd(" \t\r"u8).SequenceEqual("["u8)
            ? " The file looks like one JSON array; JSON Lines has one object on each line and nothing around them."
            : bytes.TrimEnd(" \t\r"u8).SequenceEqual("{"u8) ? " An example must stand on one line, not spread over several." : "";
        return $"Invalid file format. Example {line} cannot be parsed. Error: line contains invalid json: "
            + $"{reason}: line 1 column {column} (char {column - 1}) (line {line}).{hint}";
    }
}
