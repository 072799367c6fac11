namespace Anneal.Engine.Data;

/// <summary>
/// Divides the examples of one step among micro-batches: first-fit decreasing by length under a token budget. Examples are never
/// split. The same examples in the same order always give the same micro-batches. Allocates only in its constructor.
/// </summary>
public sealed class Packing
{
    private readonly int _tokenBudget;
    private readonly long[] _order;
    private readonly int[] _bin;
    private readonly int[] _room;

    /// <summary>Makes a packer.</summary>
    /// <param name="tokenBudget">Tokens of a micro-batch; at least the longest example.</param>
    /// <param name="maxExamples">Examples of a step.</param>
    public Packing(int tokenBudget, int maxExamples)
    {
        _tokenBudget = tokenBudget;
        _order = new long[maxExamples];
        _bin = new int[maxExamples];
        _room = new int[maxExamples];
    }

    /// <summary>Micro-batches of the last call of <see cref="Pack"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Assigns every example to a micro-batch.</summary>
    /// <param name="lengths">Tokens of each example.</param>
    /// <exception cref="ArgumentException">An example is longer than the budget.</exception>
    public void Pack(ReadOnlySpan<int> lengths)
    {
        Span<long> order = _order.AsSpan(0, lengths.Length);
        for (int i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] > _tokenBudget)
            {
                throw new ArgumentException($"An example of {lengths[i]} tokens exceeds the budget of {_tokenBudget}.");
            }

            // Longest first; of equal lengths the earlier one first.
            order[i] = ((long)(int.MaxValue - lengths[i]) << 32) | (uint)i;
        }

        order.Sort();
        Count = 0;
        foreach (long key in order)
        {
            int example = (int)(key & uint.MaxValue);
            int bin = 0;
            while (bin < Count && _room[bin] < lengths[example])
            {
                bin++;
            }

            if (bin == Count)
            {
                _room[Count++] = _tokenBudget;
            }

            _room[bin] -= lengths[example];
            _bin[example] = bin;
        }
    }

    /// <summary>The micro-batch that example number <paramref name="example"/> of the last call belongs to.</summary>
    public int BinOf(int example) => _bin[example];
}
