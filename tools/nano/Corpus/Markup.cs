using System.Globalization;
using System.Text;

namespace Anneal.Nano.Corpus;

/// <summary>A named value of a record: a string, a whole number, a boolean or null.</summary>
internal readonly record struct Field(string Key, object? Value)
{
    /// <summary>The value as plain text.</summary>
    public string Text => Value switch
    {
        null => "none",
        bool flag => flag ? "yes" : "no",
        int number => number.ToString(CultureInfo.InvariantCulture),
        _ => (string)Value,
    };
}

/// <summary>Writes records in the data formats that the corpus teaches, always spaced in one and the same way.</summary>
internal static class Markup
{
    /// <summary>One line: <c>{"a": "b", "n": 1}</c>.</summary>
    public static string Json(IEnumerable<Field> fields) =>
        "{" + string.Join(", ", fields.Select(field => $"\"{field.Key}\": {JsonValue(field.Value)}")) + "}";

    /// <summary>A field a line, indented by two spaces.</summary>
    public static string JsonIndented(IEnumerable<Field> fields) =>
        "{\n" + string.Join(",\n", fields.Select(field => $"  \"{field.Key}\": {JsonValue(field.Value)}")) + "\n}";

    /// <summary><c>["a", "b"]</c>.</summary>
    public static string JsonList(IEnumerable<string> items) => "[" + string.Join(", ", items.Select(Quote)) + "]";

    /// <summary>A key and a value a line.</summary>
    public static string Yaml(IEnumerable<Field> fields) =>
        string.Join("\n", fields.Select(field => $"{field.Key}: {(field.Value is bool flag ? (flag ? "true" : "false")
            : field.Value is null ? "null" : field.Text)}"));

    /// <summary>A line of keys, then a line for each record.</summary>
    public static string Csv(IReadOnlyList<IReadOnlyList<Field>> records)
    {
        StringBuilder text = new(string.Join(",", records[0].Select(field => field.Key)));
        foreach (IReadOnlyList<Field> record in records)
        {
            text.Append('\n').AppendJoin(',', record.Select(field => field.Text));
        }
        return text.ToString();
    }

    /// <summary>A Markdown table.</summary>
    public static string Table(IReadOnlyList<IReadOnlyList<Field>> records)
    {
        StringBuilder text = new("| " + string.Join(" | ", records[0].Select(field => field.Key)) + " |\n|");
        text.Append(string.Concat(Enumerable.Repeat(" --- |", records[0].Count)));
        foreach (IReadOnlyList<Field> record in records)
        {
            text.Append("\n| ").AppendJoin(" | ", record.Select(field => field.Text)).Append(" |");
        }
        return text.ToString();
    }

    /// <summary>An item a line behind a hyphen.</summary>
    public static string Bullets(IEnumerable<string> items) => string.Join("\n", items.Select(item => "- " + item));

    /// <summary>An item a line behind its number.</summary>
    public static string Numbered(IEnumerable<string> items) =>
        string.Join("\n", items.Select((item, index) => $"{index + 1}. {item}"));

    private static string JsonValue(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        int number => number.ToString(CultureInfo.InvariantCulture),
        _ => Quote((string)value),
    };

    private static string Quote(string text) =>
        "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"",
            StringComparison.Ordinal) + "\"";
}
