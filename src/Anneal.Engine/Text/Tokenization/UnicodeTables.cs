using System.Globalization;
using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// Unicode data of the age that the format's library has linked ever since: Unicode 9.0 for normalization and combining
/// marks, 8.0 for the categories that the punctuation and BERT steps ask for. A vocabulary was trained with it, so newer data
/// would be less right. (Patterns follow the runtime's own, newer data, as the library's patterns do.)
/// </summary>
internal sealed class UnicodeTables
{
    private const string Resource = "Anneal.Engine.Text.unicode.txt";

    private static readonly Lazy<UnicodeTables> Loaded = new(() => new UnicodeTables());

    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<int, (bool Canonical, int[] Parts)> _direct = [];
    private readonly Dictionary<string, List<(int First, int Last)>> _sets = new()
    {
        ["mark"] = [],
        ["punctuation"] = [],
        ["nonspacing"] = [],
        ["format"] = [],
    };

    private UnicodeTables()
    {
        using Stream stream = typeof(UnicodeTables).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is missing from the assembly.");
        using StreamReader reader = new(stream, System.Text.Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                Read(line.Split(' '));
            }
        }

        foreach ((int codePoint, (bool canonical, _)) in _direct)
        {
            Compatibility[codePoint] = Expand(codePoint, compatibility: true);
            if (canonical)
            {
                Canonical[codePoint] = Expand(codePoint, compatibility: false);
            }
        }

        Marks = CodePointSet.Of(_sets["mark"]).Prepare();
        NonSpacingMarks = CodePointSet.Of(_sets["nonspacing"]).Prepare();

        // ASCII counts more as punctuation than Unicode does: $ + < = > ^ ` | ~ too.
        Punctuation = CodePointSet.Of([.. _sets["punctuation"], ('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]).Prepare();

        // The library's table of private use holds the ends of its three areas only.
        Controls = CodePointSet.Of(
        [
            .. _sets["format"], (0x00, 0x1F), (0x7F, 0x9F),
            (0xE000, 0xE000), (0xF8FF, 0xF8FF), (0xF0000, 0xF0000), (0xFFFFD, 0xFFFFD), (0x100000, 0x100000), (0x10FFFD, 0x10FFFD),
        ]).Prepare();
    }

    /// <summary>The tables, read when they are first needed.</summary>
    public static UnicodeTables Shared => Loaded.Value;

    /// <summary>Full canonical decompositions, not in the order of marks.</summary>
    public Dictionary<int, int[]> Canonical { get; } = [];

    /// <summary>Full compatibility decompositions, not in the order of marks.</summary>
    public Dictionary<int, int[]> Compatibility { get; } = [];

    /// <summary>What two code points are composed to.</summary>
    public Dictionary<(int First, int Second), int> Pairs { get; } = [];

    /// <summary>Combining marks of any kind.</summary>
    public CodePointSet Marks { get; }

    /// <summary>Non-spacing marks.</summary>
    public CodePointSet NonSpacingMarks { get; }

    /// <summary>Punctuation of Unicode and of ASCII.</summary>
    public CodePointSet Punctuation { get; }

    /// <summary>What BERT takes for control characters, tab and line ends among them.</summary>
    public CodePointSet Controls { get; }

    /// <summary>The canonical combining class of a code point.</summary>
    public byte Class(int codePoint) => codePoint < 0x300 ? (byte)0 : _classes.GetValueOrDefault(codePoint);

    private void Read(string[] fields)
    {
        switch (fields[0])
        {
            case "class":
                for (int c = Hex(fields[2]); c <= Hex(fields[3]); c++)
                {
                    _classes[c] = byte.Parse(fields[1], CultureInfo.InvariantCulture);
                }

                break;
            case "canonical" or "compatibility" or "excluded":
                _direct[Hex(fields[1])] = (fields[0] != "compatibility", [.. fields[2..].Select(Hex)]);
                if (fields[0] == "canonical")
                {
                    Pairs[(Hex(fields[2]), Hex(fields[3]))] = Hex(fields[1]);
                }

                break;
            default:
                _sets[fields[0]].Add((Hex(fields[1]), Hex(fields[2])));
                break;
        }
    }

    private int[] Expand(int codePoint, bool compatibility) =>
        _direct.TryGetValue(codePoint, out (bool Canonical, int[] Parts) mapping) && (mapping.Canonical || compatibility)
            ? [.. mapping.Parts.SelectMany(p => Expand(p, compatibility))]
            : [codePoint];

    private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
