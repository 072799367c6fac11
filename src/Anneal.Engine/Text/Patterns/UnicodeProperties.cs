using System.Globalization;
using System.Text;

namespace Anneal.Engine.Text.Patterns;

/// <summary>
/// The classes of code points that patterns and pre-tokenizers name, from the runtime's own Unicode data (which does not
/// depend on the globalization mode).
/// </summary>
internal static class UnicodeProperties
{
    private static readonly Lazy<CodePointSet[]> Categories = new(BuildCategories);
    private static readonly Lazy<int[][]> Variants = new(BuildCaseVariants);

    private static readonly Lazy<CodePointSet> SpaceSet = new(() => Category(UnicodeCategory.SpaceSeparator)
        .Union(Category(UnicodeCategory.LineSeparator)).Union(Category(UnicodeCategory.ParagraphSeparator))
        .Union(CodePointSet.Of([(0x09, 0x0D), (0x85, 0x85)])).Prepare());

    private static readonly Lazy<CodePointSet> WordSet = new(() => Union("L").Union(Union("M"))
        .Union(Category(UnicodeCategory.DecimalDigitNumber)).Union(Category(UnicodeCategory.LetterNumber))
        .Union(Category(UnicodeCategory.ConnectorPunctuation))
        .Union(CodePointSet.Of([(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)])).Prepare());

    private static readonly Lazy<CodePointSet> NumericSet = new(() => Union("N").Prepare());

    private static readonly (string Short, string Long, UnicodeCategory Value)[] Names =
    [
        ("Lu", "UppercaseLetter", UnicodeCategory.UppercaseLetter),
        ("Ll", "LowercaseLetter", UnicodeCategory.LowercaseLetter),
        ("Lt", "TitlecaseLetter", UnicodeCategory.TitlecaseLetter),
        ("Lm", "ModifierLetter", UnicodeCategory.ModifierLetter),
        ("Lo", "OtherLetter", UnicodeCategory.OtherLetter),
        ("Mn", "NonspacingMark", UnicodeCategory.NonSpacingMark),
        ("Mc", "SpacingMark", UnicodeCategory.SpacingCombiningMark),
        ("Me", "EnclosingMark", UnicodeCategory.EnclosingMark),
        ("Nd", "DecimalNumber", UnicodeCategory.DecimalDigitNumber),
        ("Nl", "LetterNumber", UnicodeCategory.LetterNumber),
        ("No", "OtherNumber", UnicodeCategory.OtherNumber),
        ("Zs", "SpaceSeparator", UnicodeCategory.SpaceSeparator),
        ("Zl", "LineSeparator", UnicodeCategory.LineSeparator),
        ("Zp", "ParagraphSeparator", UnicodeCategory.ParagraphSeparator),
        ("Cc", "Control", UnicodeCategory.Control),
        ("Cf", "Format", UnicodeCategory.Format),
        ("Cs", "Surrogate", UnicodeCategory.Surrogate),
        ("Co", "PrivateUse", UnicodeCategory.PrivateUse),
        ("Cn", "Unassigned", UnicodeCategory.OtherNotAssigned),
        ("Pc", "ConnectorPunctuation", UnicodeCategory.ConnectorPunctuation),
        ("Pd", "DashPunctuation", UnicodeCategory.DashPunctuation),
        ("Ps", "OpenPunctuation", UnicodeCategory.OpenPunctuation),
        ("Pe", "ClosePunctuation", UnicodeCategory.ClosePunctuation),
        ("Pi", "InitialPunctuation", UnicodeCategory.InitialQuotePunctuation),
        ("Pf", "FinalPunctuation", UnicodeCategory.FinalQuotePunctuation),
        ("Po", "OtherPunctuation", UnicodeCategory.OtherPunctuation),
        ("Sm", "MathSymbol", UnicodeCategory.MathSymbol),
        ("Sc", "CurrencySymbol", UnicodeCategory.CurrencySymbol),
        ("Sk", "ModifierSymbol", UnicodeCategory.ModifierSymbol),
        ("So", "OtherSymbol", UnicodeCategory.OtherSymbol),
    ];

    private static readonly (string Long, string Short)[] Groups =
    [
        ("Letter", "L"), ("Mark", "M"), ("Number", "N"), ("Separator", "Z"), ("Other", "C"), ("Punctuation", "P"), ("Symbol", "S"),
    ];

    /// <summary>White_Space: with U+0085 and U+00A0, without U+001C to U+001F, U+180E and U+200B.</summary>
    public static CodePointSet Space => SpaceSet.Value;

    /// <summary>Word characters of UTS 18, without the join controls: alphabetic, marks, decimal digits, connectors.</summary>
    public static CodePointSet Word => WordSet.Value;

    /// <summary>Decimal digits, letter numbers and other numbers.</summary>
    public static CodePointSet Numeric => NumericSet.Value;

    /// <summary>Groups of code points that differ in case only; each group has at least two members.</summary>
    public static IReadOnlyList<int[]> CaseVariants => Variants.Value;

    /// <summary>The code points of one general category.</summary>
    public static CodePointSet Category(UnicodeCategory category) => Categories.Value[(int)category];

    /// <summary>Finds a property by its name in <c>\p{…}</c>; case, blanks, <c>_</c> and <c>-</c> do not count.</summary>
    public static CodePointSet? Find(string name)
    {
        string plain = new([.. name.Where(c => c is not (' ' or '_' or '-'))]);
        foreach ((string shortName, string longName, UnicodeCategory value) in Names)
        {
            if (Same(plain, shortName) || Same(plain, longName))
            {
                return Category(value);
            }
        }

        foreach ((string longName, string shortName) in Groups)
        {
            if (Same(plain, shortName) || Same(plain, longName))
            {
                return Union(shortName);
            }
        }

        return plain.ToLowerInvariant() switch
        {
            "any" => CodePointSet.All,
            "assigned" => Category(UnicodeCategory.OtherNotAssigned).Negate(),
            "ascii" => CodePointSet.Of(0, 0x7F),
            "cntrl" => Category(UnicodeCategory.Control),
            "digit" => Category(UnicodeCategory.DecimalDigitNumber),
            "punct" => Union("P").Union(Union("S")),
            "space" or "whitespace" => Space,
            "word" => Word,
            "xdigit" => CodePointSet.Of([('0', '9'), ('A', 'F'), ('a', 'f')]),
            _ => null,
        };

        static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
    }

    private static CodePointSet Union(string group) => CodePointSet.Of(
        Names.Where(n => n.Short[0] == group[0]).SelectMany(n => Category(n.Value).Ranges.ToArray()));

    private static CodePointSet[] BuildCategories()
    {
        List<(int First, int Last)>[] ranges = [.. Enumerable.Range(0, 30).Select(_ => new List<(int First, int Last)>())];
        int start = 0;
        int current = (int)CharUnicodeInfo.GetUnicodeCategory(0);
        for (int c = 1; c <= CodePointSet.Last + 1; c++)
        {
            int next = c > CodePointSet.Last ? -1 : (int)CharUnicodeInfo.GetUnicodeCategory(c);
            if (next != current)
            {
                ranges[current].Add((start, c - 1));
                start = c;
                current = next;
            }
        }

        return [.. ranges.Select(CodePointSet.Of)];
    }

    private static int[][] BuildCaseVariants()
    {
        Dictionary<int, List<int>> byFold = [];
        for (int c = 0; c <= CodePointSet.Last; c++)
        {
            if (!Rune.IsValid(c))
            {
                continue;
            }

            // The runtime's invariant casing leaves out one of Unicode's simple foldings: ſ is an s.
            int fold = c == 0x17F ? 's' : Rune.ToLowerInvariant(Rune.ToUpperInvariant(new Rune(c))).Value;
            if (fold == c)
            {
                continue;
            }

            if (!byFold.TryGetValue(fold, out List<int>? members))
            {
                byFold[fold] = members = [fold];
            }

            members.Add(c);
        }

        return [.. byFold.Values.Select(m => m.ToArray())];
    }
}
