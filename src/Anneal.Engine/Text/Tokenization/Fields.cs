using System.Text.Json;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// An object of <c>tokenizer.json</c> with its place in the file, so that every complaint names the field it is about.
/// Fields that are not asked for are ignored, as the format's own library does.
/// </summary>
internal readonly struct Fields
{
    private readonly JsonElement _element;

    public Fields(JsonElement element, string path)
    {
        Path = path;
        _element = element.ValueKind == JsonValueKind.Object
            ? element
            : throw new InvalidDataException($"{path} must be an object, not {Describe(element)}.");
    }

    /// <summary>Where the object is, such as <c>model</c> or <c>pre_tokenizer.pretokenizers[1]</c>.</summary>
    public string Path { get; }

    /// <summary>A field; null if it is absent or null.</summary>
    public JsonElement? Find(string name) =>
        _element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A field that must be there.</summary>
    public JsonElement Get(string name) => Find(name) ?? throw new InvalidDataException($"{Path}.{name} is missing.");

    /// <summary>A string that must be there.</summary>
    public string Text(string name) => TextOf(Get(name), $"{Path}.{name}");

    /// <summary>A string or nothing.</summary>
    public string? OptionalText(string name) => Find(name) is { } value ? TextOf(value, $"{Path}.{name}") : null;

    /// <summary>A string of exactly one code point.</summary>
    public string Character(string name)
    {
        string text = Text(name);
        return text.EnumerateRunes().Count() == 1 ? text : throw new InvalidDataException($"{Path}.{name} must be one character, not \"{text}\".");
    }

    /// <summary>A boolean that must be there.</summary>
    public bool Flag(string name) => FlagOf(Get(name), name);

    /// <summary>A boolean, or what an absent or null one means.</summary>
    public bool Flag(string name, bool absent) => Find(name) is { } value ? FlagOf(value, name) : absent;

    /// <summary>A whole number that must be there, not below zero.</summary>
    public int Number(string name) => NumberOf(Get(name), $"{Path}.{name}");

    /// <summary>An object that must be there.</summary>
    public Fields Object(string name) => new(Get(name), $"{Path}.{name}");

    /// <summary>An array that must be there, each element with its place.</summary>
    public IEnumerable<(JsonElement Value, string Path)> Items(string name) => ItemsOf(Get(name), $"{Path}.{name}");

    /// <summary>The elements of an array.</summary>
    public static IEnumerable<(JsonElement Value, string Path)> ItemsOf(JsonElement array, string path)
    {
        if (array.ValueKind != JsonValueKind.Array)
        {
            throw new InvalidDataException($"{path} must be an array, not {Describe(array)}.");
        }

        return array.EnumerateArray().Select((e, i) => (e, $"{path}[{i}]"));
    }

    /// <summary>An element as a string.</summary>
    public static string TextOf(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.String)
        {
            throw new InvalidDataException($"{path} must be a string, not {Describe(element)}.");
        }

        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"{path} has a lone surrogate.", e);
        }
    }

    /// <summary>An element as a whole number, not below zero.</summary>
    public static int NumberOf(JsonElement element, string path) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int value) && value >= 0
            ? value
            : throw new InvalidDataException($"{path} must be a whole number from 0 to {int.MaxValue}, not {Describe(element)}.");

    private static string Describe(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => $"the number {element.GetRawText()}",
        JsonValueKind.Null => "null",
        _ => element.GetRawText(),
    };

    private bool FlagOf(JsonElement value, string name) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new InvalidDataException($"{Path}.{name} must be true or false, not {Describe(value)}."),
    };
}
