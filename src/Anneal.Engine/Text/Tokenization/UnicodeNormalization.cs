using System.Text;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>A normalization form of UAX 15.</summary>
internal enum UnicodeForm
{
    /// <summary>Canonical decomposition.</summary>
    D,

    /// <summary>Canonical decomposition, then composition.</summary>
    C,

    /// <summary>Compatibility decomposition.</summary>
    KD,

    /// <summary>Compatibility decomposition, then composition.</summary>
    KC,
}

/// <summary>
/// Unicode normalization. The runtime's own does nothing in the invariant globalization mode that this project runs in, and
/// ids depend on the age of the data: it is in <see cref="UnicodeTables"/>.
/// </summary>
internal static class UnicodeNormalization
{
    private const int HangulFirst = 0xAC00;
    private const int LeadFirst = 0x1100;
    private const int VowelFirst = 0x1161;
    private const int TailFirst = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int HangulCount = LeadCount * VowelCount * TailCount;

    /// <summary>Whether a text is certainly in a form already, by a look at its characters alone.</summary>
    public static bool IsSurelyNormal(ReadOnlySpan<char> text, UnicodeForm form)
    {
        // The first characters that decompose are à (canonical) and no-break space (compatibility); marks begin at U+0300.
        char limit = form switch
        {
            UnicodeForm.C => '\u0300',
            UnicodeForm.D => '\u00C0',
            _ => '\u00A0',
        };
        return text.IndexOfAnyInRange(limit, '\uFFFF') < 0;
    }

    /// <summary>The code points of the normalized text, each with where it comes from.</summary>
    public static List<Change> Normalize(ReadOnlySpan<char> text, UnicodeForm form)
    {
        UnicodeTables tables = UnicodeTables.Shared;
        List<Change> decomposed = new(text.Length);
        Dictionary<int, int[]> mappings = form is UnicodeForm.D or UnicodeForm.C ? tables.Canonical : tables.Compatibility;
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, mappings, decomposed);
        }

        SortMarks(decomposed, tables);
        return form is UnicodeForm.D or UnicodeForm.KD ? decomposed : Compose(decomposed, tables);
    }

    private static void Decompose(int codePoint, Dictionary<int, int[]> mappings, List<Change> into)
    {
        int hangul = codePoint - HangulFirst;
        if (hangul is >= 0 and < HangulCount)
        {
            into.Add(new Change(LeadFirst + (hangul / (VowelCount * TailCount)), 0));
            into.Add(new Change(VowelFirst + (hangul % (VowelCount * TailCount) / TailCount), 1));
            if (hangul % TailCount != 0)
            {
                into.Add(new Change(TailFirst + (hangul % TailCount), 1));
            }

            return;
        }

        if (!mappings.TryGetValue(codePoint, out int[]? parts))
        {
            into.Add(new Change(codePoint, 0));
            return;
        }

        for (int i = 0; i < parts.Length; i++)
        {
            into.Add(new Change(parts[i], i > 0 ? 1 : 0));
        }
    }

    /// <summary>Puts every run of marks in the order of their combining classes; equal classes keep theirs.</summary>
    private static void SortMarks(List<Change> text, UnicodeTables tables)
    {
        for (int start = 0; start < text.Count; start++)
        {
            if (tables.Class(text[start].CodePoint) == 0)
            {
                continue;
            }

            int end = start;
            while (end < text.Count && tables.Class(text[end].CodePoint) != 0)
            {
                end++;
            }

            Change[] sorted = [.. text[start..end].OrderBy(c => tables.Class(c.CodePoint))];
            for (int i = 0; i < sorted.Length; i++)
            {
                text[start + i] = sorted[i];
            }

            start = end;
        }
    }

    private static List<Change> Compose(List<Change> text, UnicodeTables tables)
    {
        List<Change> composed = new(text.Count);
        int starter = -1;
        int lastClass = -1;
        foreach (Change next in text)
        {
            int thisClass = tables.Class(next.CodePoint);

            // A mark is kept from the starter by one before it of the same or a higher class.
            bool reaches = starter >= 0 && (lastClass < 0 || (lastClass < thisClass && thisClass != 0));
            if (reaches && Pair(composed[starter].CodePoint, next.CodePoint, tables) is { } joined)
            {
                composed[starter] = new Change(joined, composed[starter].Delta + next.Delta - 1);
                continue;
            }

            composed.Add(next);
            if (thisClass == 0)
            {
                starter = composed.Count - 1;
                lastClass = -1;
            }
            else
            {
                lastClass = thisClass;
            }
        }

        return composed;
    }

    private static int? Pair(int first, int second, UnicodeTables tables)
    {
        int lead = first - LeadFirst;
        int vowel = second - VowelFirst;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
        {
            return HangulFirst + (((lead * VowelCount) + vowel) * TailCount);
        }

        int syllable = first - HangulFirst;
        int tail = second - TailFirst;
        if (syllable is >= 0 and < HangulCount && syllable % TailCount == 0 && tail is > 0 and < TailCount)
        {
            return first + tail;
        }

        return tables.Pairs.TryGetValue((first, second), out int joined) ? joined : null;
    }
}
