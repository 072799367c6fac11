using System.Globalization;
using System.Text.Json;

namespace Anneal.Server.Http;

/// <summary>
/// One JSON object of a request while it is being validated. Each reading method names a member, checks it, and returns its
/// value or null; what is wrong goes to the fault list with the member's path. A JSON null counts as absent.
/// <see cref="RejectUnknown"/> at the end finds members that nobody asked for.
/// </summary>
internal sealed class RequestFields(JsonElement value, string path, ApiFaults faults)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Where faults go.</summary>
    public ApiFaults Faults => faults;

    /// <summary>The object's own path; empty for the body.</summary>
    public string Path => path;

    /// <summary>The member's path from the body's root.</summary>
    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>The member as it is; null when it is absent or JSON null.</summary>
    public JsonElement? Raw(string name)
    {
        _known.Add(name);
        return value.TryGetProperty(name, out JsonElement member) && member.ValueKind != JsonValueKind.Null ? member : null;
    }

    /// <summary>Like <see cref="Raw"/>, and a fault when there is none.</summary>
    public JsonElement? Required(string name)
    {
        JsonElement? member = Raw(name);
        if (member is null)
        {
            faults.Add($"Missing required parameter: '{PathOf(name)}'.", PathOf(name), "missing_required_parameter");
        }
        return member;
    }

    /// <summary>A string between the two lengths, in UTF-16 code units.</summary>
    public string? String(string name, bool required = false, int charsMin = 0, int charsMax = int.MaxValue)
    {
        JsonElement? member = required ? Required(name) : Raw(name);
        if (member is not JsonElement given || Text(given, PathOf(name)) is not string text)
        {
            return null;
        }
        if (text.Length < charsMin)
        {
            string got = text.Length == 0 ? "an empty string" : $"a string with length {text.Length}";
            faults.Add(
                $"Invalid '{PathOf(name)}': string too short. Expected a string with minimum length {charsMin}, but got {got} instead.",
                PathOf(name), text.Length == 0 ? "empty_string" : "string_below_min_length");
            return null;
        }
        if (text.Length > charsMax)
        {
            faults.Add(
                $"Invalid '{PathOf(name)}': string too long. Expected a string with maximum length {charsMax}, but got a string "
                + $"with length {text.Length} instead.",
                PathOf(name), "string_above_max_length");
            return null;
        }
        return text;
    }

    /// <summary>One of a few strings.</summary>
    public string? Choice(string name, IReadOnlyList<string> choices, bool required = false)
    {
        string? text = String(name, required);
        if (text is not null && !choices.Contains(text))
        {
            InvalidValue(PathOf(name), text, choices);
            return null;
        }
        return text;
    }

    /// <summary>An integer in a range; <c>3.0</c> counts as 3.</summary>
    public long? Integer(string name, long min = long.MinValue, long max = long.MaxValue)
    {
        return Raw(name) is JsonElement given ? Integer(given, PathOf(name), min, max) : null;
    }

    /// <summary>A number in a range.</summary>
    public double? Number(string name, double min = double.MinValue, double max = double.MaxValue)
    {
        return Raw(name) is JsonElement given ? Number(given, PathOf(name), min, max) : null;
    }

    /// <summary>True or false.</summary>
    public bool? Boolean(string name)
    {
        switch (Raw(name))
        {
            case null:
                return null;
            case { ValueKind: JsonValueKind.True }:
                return true;
            case { ValueKind: JsonValueKind.False }:
                return false;
            case JsonElement other:
                WrongType(PathOf(name), "a boolean", other);
                return null;
        }
    }

    /// <summary>A nested object.</summary>
    public RequestFields? Object(string name, bool required = false)
    {
        JsonElement? member = required ? Required(name) : Raw(name);
        return member is JsonElement given ? Object(given, PathOf(name)) : null;
    }

    /// <summary>A nested array.</summary>
    public JsonElement? Array(string name, bool required = false, int itemsMin = 0, int itemsMax = int.MaxValue)
    {
        JsonElement? member = required ? Required(name) : Raw(name);
        if (member is not JsonElement given)
        {
            return null;
        }
        string at = PathOf(name);
        if (given.ValueKind != JsonValueKind.Array)
        {
            WrongType(at, "an array", given);
            return null;
        }
        int items = given.GetArrayLength();
        if (items < itemsMin)
        {
            faults.Add(
                $"Invalid '{at}': empty array. Expected an array with minimum length {itemsMin}, but got "
                + $"{(items == 0 ? "an empty array" : $"an array with length {items}")} instead.",
                at, items == 0 ? "empty_array" : "array_below_min_length");
            return null;
        }
        if (items > itemsMax)
        {
            faults.Add(
                $"Invalid '{at}': array too long. Expected an array with maximum length {itemsMax}, but got an array with length "
                + $"{items} instead.",
                at, "array_above_max_length");
            return null;
        }
        return given;
    }

    /// <summary>Members that are allowed and without effect here, as the wire format says of them.</summary>
    public void AcceptAndIgnore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _known.Add(name);
        }
    }

    /// <summary>A fault for every member that is given although this version cannot honour it.</summary>
    public void RejectUnsupported(string why, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (Raw(name) is not null)
            {
                faults.Add($"Unsupported parameter: '{PathOf(name)}' {why}", PathOf(name), "unsupported_parameter");
            }
        }
    }

    /// <summary>A fault for every member that was not asked for until now.</summary>
    public void RejectUnknown()
    {
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (_known.Add(member.Name))
            {
                faults.Add($"Unknown parameter: '{PathOf(member.Name)}'.", PathOf(member.Name), "unknown_parameter");
            }
        }
    }

    /// <summary>The element as an object to validate, or null and a fault.</summary>
    public RequestFields? Object(JsonElement given, string at)
    {
        if (given.ValueKind == JsonValueKind.Object)
        {
            return new RequestFields(given, at, faults);
        }
        WrongType(at, "an object", given);
        return null;
    }

    /// <summary>The element as text, or null and a fault.</summary>
    public string? Text(JsonElement given, string at)
    {
        if (given.ValueKind != JsonValueKind.String)
        {
            WrongType(at, "a string", given);
            return null;
        }
        try
        {
            return given.GetString();
        }
        catch (InvalidOperationException)
        {
            // A \u escape of half a surrogate pair: valid JSON, but no text.
            faults.Add($"Invalid '{at}': the string holds half a surrogate pair, which is not text.", at, "invalid_value");
            return null;
        }
    }

    /// <summary>The element as an integer in a range, or null and a fault.</summary>
    public long? Integer(JsonElement given, string at, long min, long max)
    {
        if (given.ValueKind != JsonValueKind.Number)
        {
            WrongType(at, "an integer", given);
            return null;
        }
        if (!given.TryGetInt64(out long number))
        {
            double real = given.GetDouble();
            if (real != Math.Floor(real))
            {
                faults.Add($"Invalid type for '{at}': expected an integer, but got a decimal number instead.", at, "invalid_type");
                return null;
            }
            number = real >= 9.2e18 ? long.MaxValue : real <= -9.2e18 ? long.MinValue : (long)real;
        }
        return InRange(number, min, max, at, "integer", given) ? number : null;
    }

    /// <summary>The element as a number in a range, or null and a fault.</summary>
    public double? Number(JsonElement given, string at, double min, double max)
    {
        if (given.ValueKind != JsonValueKind.Number)
        {
            WrongType(at, "a number", given);
            return null;
        }
        double number = given.GetDouble();
        return InRange(number, min, max, at, "decimal", given) ? number : null;
    }

    /// <summary>Adds the fault of a value that is not among the choices.</summary>
    public void InvalidValue(string at, string given, IEnumerable<string> choices) => faults.Add(
        $"Invalid value: '{given}'. Supported values are: {string.Join(", ", choices.Select(c => $"'{c}'"))}.", at, "invalid_value");

    /// <summary>Adds the fault of a value of another type.</summary>
    public void WrongType(string at, string expected, JsonElement given) => faults.Add(
        $"Invalid type for '{at}': expected {expected}, but got {KindOf(given)} instead.", at, "invalid_type");

    /// <summary>A JSON value's type in words, with its article.</summary>
    public static string KindOf(JsonElement given) => given.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => given.TryGetInt64(out _) ? "an integer" : "a decimal number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    private bool InRange<T>(T number, T min, T max, string at, string kind, JsonElement given)
        where T : IComparable<T>, IFormattable
    {
        bool below = number.CompareTo(min) < 0;
        if (!below && number.CompareTo(max) <= 0)
        {
            return true;
        }
        string limit = (below ? min : max).ToString(null, CultureInfo.InvariantCulture);
        faults.Add(
            $"Invalid '{at}': {kind} {(below ? "below minimum" : "above maximum")} value. Expected a value "
            + $"{(below ? ">=" : "<=")} {limit}, but got {given.GetRawText()} instead.",
            at, $"{kind}_{(below ? "below_min" : "above_max")}_value");
        return false;
    }
}
