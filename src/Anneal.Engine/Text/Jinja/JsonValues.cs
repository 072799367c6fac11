using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Anneal.Engine.Text.Jinja;

/// <summary>JSON as template values, numbers as Python's <c>json.loads</c> reads them.</summary>
internal static class JsonValues
{
    private static readonly string[] ReasoningFields = ["reasoning_content", "thinking", "reasoning"];

    public static object? From(JsonNode? node)
    {
        Budget.EnsureStack();
        switch (node)
        {
            case null:
                return null;
            case JsonObject json:
                DictValue dict = new();
                foreach ((string key, JsonNode? value) in json)
                {
                    dict.Set(key, From(value));
                }

                return dict;
            case JsonArray array:
                List<object?> list = new(array.Count);
                foreach (JsonNode? item in array)
                {
                    list.Add(From(item));
                }

                return list;
            default:
                return FromScalar((JsonValue)node);
        }
    }

    /// <summary>
    /// Messages as templates get them: one with thoughts under any of three names has them as <c>reasoning_content</c> and
    /// <c>thinking</c> too.
    /// </summary>
    public static List<object?> FromMessages(JsonArray messages)
    {
        List<object?> list = new(messages.Count);
        foreach (JsonNode? message in messages)
        {
            object? value = From(message);
            list.Add(value is DictValue dict && ReasoningFields.Any(f => dict.TryGet(f, out _)) ? WithReasoning(dict) : value);
        }

        return list;
    }

    private static DictValue WithReasoning(DictValue message)
    {
        object? thoughts = ReasoningFields.Select(f => message.TryGet(f, out object? v) ? v : null).FirstOrDefault(v => v is not null);
        DictValue result = new();
        if (!message.TryGet("thinking", out _))
        {
            result.Set("thinking", thoughts);
        }

        foreach ((object? key, object? value) in message.Entries)
        {
            result.Set((string)key!, value);
        }

        result.Set("reasoning_content", thoughts);
        return result;
    }

    private static object? FromScalar(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => FromNumber(value),
        _ => null,
    };

    private static object FromNumber(JsonValue value)
    {
        // A number made in C# has a type of its own; one that was read has its digits.
        if (!value.TryGetValue(out JsonElement element))
        {
            return value.TryGetValue(out long n) ? n : value.TryGetValue(out int i) ? (long)i : value.TryGetValue(out float f) ? f : value.GetValue<double>();
        }

        string text = element.GetRawText();
        return text.AsSpan().IndexOfAny(".eE") >= 0
            ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)
            : Values.Integer(BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }
}
