using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's idea of text: positions count code points, case mappings are the full ones of Unicode.</summary>
internal static class PythonText
{
    private static readonly FrozenDictionary<int, string> UpperExceptions = Table(CaseTables.Upper);
    private static readonly FrozenDictionary<int, string> TitleExceptions = Table(CaseTables.Title);
    private static readonly FrozenDictionary<int, string> FoldExceptions = Table(CaseTables.Fold);

    /// <summary>Number of code points.</summary>
    public static int Length(string text)
    {
        int n = text.Length;
        foreach (char c in text)
        {
            n -= char.IsLowSurrogate(c) ? 1 : 0;
        }

        return n;
    }

    /// <summary>UTF-16 position of a code point position between 0 and the length.</summary>
    public static int Utf16Index(string text, int codePoint)
    {
        int i = 0;
        for (; codePoint > 0 && i < text.Length; codePoint--)
        {
            i += char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
        }

        return i;
    }

    /// <summary>Code point position of a UTF-16 position.</summary>
    public static int CodePointIndex(string text, int utf16)
    {
        int n = utf16;
        for (int i = 0; i < utf16; i++)
        {
            n -= char.IsLowSurrogate(text[i]) ? 1 : 0;
        }

        return n;
    }

    /// <summary>Order by code points.</summary>
    public static int Compare(string a, string b)
    {
        int n = Math.Min(a.Length, b.Length);
        int i = a.AsSpan(0, n).CommonPrefixLength(b.AsSpan(0, n));
        if (i == n)
        {
            return a.Length.CompareTo(b.Length);
        }

        // Surrogates stand for larger code points than every other unit.
        return Rank(a[i]).CompareTo(Rank(b[i]));

        static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
    }

    /// <summary>White space of <c>isspace</c>, <c>strip</c> and <c>split</c>, which is also <c>\s</c> of Python's patterns.</summary>
    public static bool IsSpace(char c) => c switch
    {
        <= ' ' => c is ' ' or (>= '\t' and <= '\r') or (>= '\x1c' and <= '\x1f'),
        _ => c is '\x85' or '\xa0' or '\u1680' or (>= '\u2000' and <= '\u200a') or '\u2028' or '\u2029' or '\u202f' or '\u205f' or '\u3000',
    };

    /// <summary>Whether a line ends after this character for <c>splitlines</c>.</summary>
    public static bool IsLineEnd(char c) =>
        c is (>= '\n' and <= '\r') or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029';

    /// <summary>Whether Python's repr shows the character as itself.</summary>
    public static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        UnicodeCategory.SpaceSeparator => rune.Value == ' ',
        _ => true,
    };

    public static bool IsAlpha(Rune rune) => Rune.IsLetter(rune);

    public static bool IsDecimal(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber;

    public static bool IsDigit(Rune rune) => CharUnicodeInfo.GetDigitValue(rune.ToString(), 0) >= 0;

    public static bool IsNumeric(Rune rune) => CharUnicodeInfo.GetNumericValue(rune.ToString(), 0) != -1;

    public static bool IsAlphanumeric(Rune rune) => IsAlpha(rune) || IsDecimal(rune) || IsDigit(rune) || IsNumeric(rune);

    public static bool IsLower(Rune rune) =>
        Rune.GetUnicodeCategory(rune) == UnicodeCategory.LowercaseLetter || InRanges(CaseTables.OtherLower, rune.Value);

    public static bool IsUpper(Rune rune) =>
        Rune.GetUnicodeCategory(rune) == UnicodeCategory.UppercaseLetter || InRanges(CaseTables.OtherUpper, rune.Value);

    public static bool IsTitle(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    public static string Upper(string text) => Map(text, (_, rune, to) => AppendUpper(to, rune));

    public static string Lower(string text) => Map(text, AppendLower(text));

    public static string CaseFold(string text) => Map(text, static (_, rune, to) =>
    {
        if (FoldExceptions.TryGetValue(rune.Value, out string? folded))
        {
            to.Append(folded);
        }
        else
        {
            AppendSimpleLower(to, rune);
        }
    });

    /// <summary>The first character in title case, the rest in lower case.</summary>
    public static string Capitalize(string text)
    {
        Action<int, Rune, StringBuilder> lower = AppendLower(text);
        return Map(text, (i, rune, to) =>
        {
            if (i == 0)
            {
                AppendTitle(to, rune);
            }
            else
            {
                lower(i, rune, to);
            }
        });
    }

    /// <summary>The method <c>title()</c>: every letter after a character without case begins a word.</summary>
    public static string Title(string text)
    {
        bool inWord = false;
        Action<int, Rune, StringBuilder> lower = AppendLower(text);
        return Map(text, (i, rune, to) =>
        {
            if (inWord)
            {
                lower(i, rune, to);
            }
            else
            {
                AppendTitle(to, rune);
            }

            inWord = IsCased(rune);
        });
    }

    public static string SwapCase(string text)
    {
        Action<int, Rune, StringBuilder> lower = AppendLower(text);
        return Map(text, (i, rune, to) =>
        {
            if (IsUpper(rune))
            {
                lower(i, rune, to);
            }
            else if (IsLower(rune))
            {
                AppendUpper(to, rune);
            }
            else
            {
                to.Append(rune.ToString());
            }
        });
    }

    /// <summary>Cuts characters off both ends, or one; without a set, white space.</summary>
    public static string Strip(string text, string? set, bool start = true, bool end = true)
    {
        int from = 0;
        int to = text.Length;
        while (start && from < to && Matches(text, from, set, out int width))
        {
            from += width;
        }

        while (end && to > from)
        {
            int last = to - (to - 2 >= from && char.IsLowSurrogate(text[to - 1]) && char.IsHighSurrogate(text[to - 2]) ? 2 : 1);
            if (!Matches(text, last, set, out _))
            {
                break;
            }

            to = last;
        }

        return text[from..to];

        static bool Matches(string text, int at, string? set, out int width)
        {
            width = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
            return set is null ? IsSpace(text[at]) : set.AsSpan().IndexOf(text.AsSpan(at, width)) >= 0;
        }
    }

    private static bool IsCased(Rune rune) => IsUpper(rune) || IsLower(rune) || IsTitle(rune);

    private static void AppendUpper(StringBuilder to, Rune rune)
    {
        if (UpperExceptions.TryGetValue(rune.Value, out string? upper))
        {
            to.Append(upper);
        }
        else
        {
            to.Append(Rune.ToUpperInvariant(rune).ToString());
        }
    }

    private static void AppendTitle(StringBuilder to, Rune rune)
    {
        if (TitleExceptions.TryGetValue(rune.Value, out string? title))
        {
            to.Append(title);
        }
        else
        {
            AppendUpper(to, rune);
        }
    }

    private static void AppendSimpleLower(StringBuilder to, Rune rune)
    {
        if (rune.Value == 0x130)
        {
            to.Append("i\u0307");
        }
        else
        {
            to.Append(Rune.ToLowerInvariant(rune).ToString());
        }
    }

    // A capital sigma at the end of a word becomes the final one.
    private static Action<int, Rune, StringBuilder> AppendLower(string text) => (i, rune, to) =>
    {
        if (rune.Value == 0x3A3)
        {
            to.Append(IsFinalSigma(text, i) ? 'ς' : 'σ');
        }
        else
        {
            AppendSimpleLower(to, rune);
        }
    };

    private static bool IsFinalSigma(string text, int index)
    {
        bool before = false;
        for (int i = index; i > 0 && !before;)
        {
            Rune.DecodeLastFromUtf16(text.AsSpan(0, i), out Rune rune, out int width);
            i -= width;
            before = IsCased(rune) && !IsCaseIgnorable(rune);
            if (!before && !IsCaseIgnorable(rune))
            {
                break;
            }
        }

        for (int i = index + 1; before && i < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int width);
            i += width;
            if (!IsCaseIgnorable(rune))
            {
                return !IsCased(rune);
            }
        }

        return before;
    }

    // Case_Ignorable: marks, formats, modifiers, and the word-internal punctuation of UAX 29.
    private static bool IsCaseIgnorable(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
            or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol => true,
        _ => rune.Value is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019 or 0x2024 or 0x2027
            or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A,
    };

    private static string Map(string text, Action<int, Rune, StringBuilder> append)
    {
        StringBuilder to = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int width);
            append(i, rune, to);
            i += width;
        }

        return to.ToString();
    }

    private static bool InRanges(ReadOnlySpan<int> ranges, int value)
    {
        for (int i = 0; i < ranges.Length && ranges[i] <= value; i += 2)
        {
            if (value <= ranges[i + 1])
            {
                return true;
            }
        }

        return false;
    }

    private static FrozenDictionary<int, string> Table(string entries) => entries
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(e => (From: Rune.GetRuneAt(e, 0), Entry: e))
        .ToFrozenDictionary(e => e.From.Value, e => e.Entry[e.From.Utf16SequenceLength..]);
}
