using Anneal.Engine.Architectures;

namespace Anneal.Engine.Data;

/// <summary>
/// The length by which each example of a file is rotated. It is the example's own, except for <c>dynamic</c> rope: there
/// transformers keeps the frequencies of the longest sequence so far until one below the original length takes them back, so
/// that an example's angles depend on those before it. Models were tuned under that rule, and losses agree only under it.
/// </summary>
public static class RopeLengths
{
    /// <summary>Lengths of examples that are seen in this order.</summary>
    /// <param name="rope">The model's rope.</param>
    /// <param name="examples">In the order of the file; shuffling and packing change nothing.</param>
    /// <param name="repeated">Whether the examples are seen again and again: the first pass then leaves its mark on the second.</param>
    public static int[] Of(RopeConfig rope, IReadOnlyList<TokenizedExample> examples, bool repeated)
    {
        int[] lengths = [.. examples.Select(e => e.Ids.Length)];
        if (rope.Kind != RopeKind.Dynamic)
        {
            return lengths;
        }

        int longest = rope.OriginalMaxPositions;
        for (int pass = repeated ? 0 : 1; pass < 2; pass++)
        {
            for (int i = 0; i < lengths.Length; i++)
            {
                int own = examples[i].Ids.Length;
                longest = own < rope.OriginalMaxPositions ? rope.OriginalMaxPositions : Math.Max(longest, own);
                lengths[i] = longest;
            }
        }

        return lengths;
    }
}
