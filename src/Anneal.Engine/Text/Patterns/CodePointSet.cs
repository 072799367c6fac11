using System.Runtime.CompilerServices;

namespace Anneal.Engine.Text.Patterns;

/// <summary>
/// A set of code points, U+0000 to U+10FFFF, as sorted ranges. .NET's own character classes see UTF-16 units and so take a
/// letter beyond U+FFFF for two surrogates; this one sees the letter.
/// </summary>
internal sealed class CodePointSet
{
    /// <summary>The last code point of Unicode.</summary>
    public const int Last = 0x10FFFF;

    /// <summary>The set without members.</summary>
    public static readonly CodePointSet Empty = new([]);

    /// <summary>Every code point.</summary>
    public static readonly CodePointSet All = new([(0, Last)]);

    private readonly (int First, int Last)[] _ranges;
    private ulong[]? _basicPlane;

    private CodePointSet((int First, int Last)[] ranges) => _ranges = ranges;

    /// <summary>The ranges, sorted, with gaps between them; both ends belong to a range.</summary>
    public ReadOnlySpan<(int First, int Last)> Ranges => _ranges;

    /// <summary>A set of one range, both ends included.</summary>
    public static CodePointSet Of(int first, int last) => new([(first, last)]);

    /// <summary>A set of one code point.</summary>
    public static CodePointSet Of(int codePoint) => Of(codePoint, codePoint);

    /// <summary>A set of ranges in any order, overlapping or not.</summary>
    public static CodePointSet Of(IEnumerable<(int First, int Last)> ranges)
    {
        List<(int First, int Last)> sorted = [.. ranges];
        sorted.Sort();
        List<(int First, int Last)> merged = [];
        foreach ((int first, int last) in sorted)
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1)
            {
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            }
            else
            {
                merged.Add((first, last));
            }
        }

        return new([.. merged]);
    }

    /// <summary>What is in either set.</summary>
    public CodePointSet Union(CodePointSet other) => Of([.. _ranges, .. other._ranges]);

    /// <summary>What is in both sets.</summary>
    public CodePointSet Intersect(CodePointSet other) => Negate().Union(other.Negate()).Negate();

    /// <summary>What is not in the set.</summary>
    public CodePointSet Negate()
    {
        List<(int First, int Last)> gaps = [];
        int next = 0;
        foreach ((int first, int last) in _ranges)
        {
            if (first > next)
            {
                gaps.Add((next, first - 1));
            }

            next = last + 1;
        }

        if (next <= Last)
        {
            gaps.Add((next, Last));
        }

        return new([.. gaps]);
    }

    /// <summary>Adds every code point that differs from a member in case only (simple folding: ſ is an s, K a k).</summary>
    public CodePointSet CloseOverCase()
    {
        List<(int First, int Last)> all = [.. _ranges];
        foreach (int[] variants in UnicodeProperties.CaseVariants)
        {
            if (variants.Any(Contains))
            {
                all.AddRange(variants.Select(v => (v, v)));
            }
        }

        return Of(all);
    }

    /// <summary>Makes <see cref="Contains"/> a table look-up for U+0000 to U+FFFF (8 KiB); for sets that are matched often.</summary>
    public CodePointSet Prepare()
    {
        if (_basicPlane is not null)
        {
            return this;
        }

        ulong[] table = new ulong[0x10000 / 64];
        foreach ((int first, int last) in _ranges)
        {
            for (int c = first; c <= Math.Min(last, 0xFFFF); c++)
            {
                table[c >> 6] |= 1UL << (c & 63);
            }
        }

        _basicPlane = table;
        return this;
    }

    /// <summary>Whether a code point is a member.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(int codePoint)
    {
        ulong[]? table = _basicPlane;
        return table is not null && (uint)codePoint < 0x10000
            ? (table[codePoint >> 6] >> (codePoint & 63) & 1) != 0
            : Search(codePoint);
    }

    private bool Search(int codePoint)
    {
        int low = 0;
        int high = _ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (codePoint < _ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (codePoint > _ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }
}
