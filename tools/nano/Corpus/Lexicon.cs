using System.Collections.Frozen;
using System.Reflection;

namespace Anneal.Nano.Corpus;

/// <summary>
/// The word lists and fact tables under <c>Lexicon/</c>: <c>@name</c> starts a list of words parted by commas,
/// <c>@name(field|field)</c> a table with a record a line, <c>#</c> a comment.
/// </summary>
internal static class Lexicon
{
    private static readonly Lazy<(FrozenDictionary<string, string[]> Lists, FrozenDictionary<string,
        string[][]> Tables)>
        Content = new(Read);

    /// <summary>The words of a list.</summary>
    /// <exception cref="KeyNotFoundException">There is no such list; the message names it.</exception>
    public static string[] Words(string list) =>
        Content.Value.Lists.TryGetValue(list, out string[]? words)
            ? words
            : throw new KeyNotFoundException($"The lexicon has no list '{list}'.");

    /// <summary>The records of a table.</summary>
    /// <exception cref="KeyNotFoundException">There is no such table; the message names it.</exception>
    public static string[][] Records(string table) =>
        Content.Value.Tables.TryGetValue(table, out string[][]? records)
            ? records
            : throw new KeyNotFoundException($"The lexicon has no table '{table}'.");

    /// <summary>A list whose items are forms parted by |, such as the verbs.</summary>
    public static string[][] Forms(string list) => Content.Value.Tables[list + "/forms"];

    private static (FrozenDictionary<string, string[]>, FrozenDictionary<string, string[][]>) Read()
    {
        Dictionary<string, string[]> lists = [];
        Dictionary<string, string[][]> tables = [];
        Assembly assembly = typeof(Lexicon).Assembly;
        foreach (string resource in assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith("Lexicon/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(resource)!);
            ReadFile(reader.ReadToEnd(), lists, tables);
        }
        return (lists.ToFrozenDictionary(), tables.ToFrozenDictionary());
    }

    private static void ReadFile(string text, Dictionary<string, string[]> lists, Dictionary<string, string[][]> tables)
    {
        string? name = null;
        List<string> lines = [];
        foreach (string raw in text.Split('\n').Append("@"))
        {
            string line = raw.Trim();
            if (line.StartsWith('#') || line.Length == 0)
            {
                continue;
            }
            if (!line.StartsWith('@'))
            {
                lines.Add(line);
                continue;
            }
            if (name is not null)
            {
                Add(name, lines, lists, tables);
            }
            name = line[1..];
            lines.Clear();
        }
    }

    private static void Add(
        string header, List<string> lines, Dictionary<string, string[]> lists, Dictionary<string, string[][]> tables)
    {
        int bracket = header.IndexOf('(', StringComparison.Ordinal);
        if (bracket >= 0)
        {
            int fields = header[bracket..].Split('|').Length;
            string[][] records = [.. lines.Select(line => line.Split('|'))];
            if (records.FirstOrDefault(record => record.Length != fields) is { } bad)
            {
                throw new InvalidDataException($"Lexicon table {header}: '{string.Join('|', bad)}' has not {fields} fields.");
            }
            tables.Add(header[..bracket], records);
            return;
        }
        string[] words = [.. string.Join(' ', lines).Split(',').Select(word => word.Trim()).Where(word => word.Length > 0)];
        if (words[0].Contains('|', StringComparison.Ordinal))
        {
            tables.Add(header + "/forms", [.. words.Select(word => word.Split('|'))]);
            words = [.. words.Select(word => word.Split('|')[0])];
        }
        lists.Add(header, words);
    }
}
