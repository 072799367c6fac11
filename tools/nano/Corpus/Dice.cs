namespace Anneal.Nano.Corpus;

/// <summary>
/// A seeded source of choices (SplitMix64, Steele et al. 2014). The same seed gives the same choices on every machine,
/// so that document i of the corpus depends on the corpus seed and i alone.
/// </summary>
internal sealed class Dice
{
    private ulong _state;

    /// <summary>Starts a stream; <paramref name="stream"/> separates documents of one seed.</summary>
    public Dice(ulong seed, ulong stream)
    {
        _state = seed * 0x9E3779B97F4A7C15UL + stream * 0xD1B54A32D192ED03UL;
        Next();
        Next();
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15UL;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A whole number from 0 to <paramref name="count"/> − 1.</summary>
    public int Below(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return (int)(((Next() >> 32) * (ulong)count) >> 32);
    }

    /// <summary>A whole number from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public int Between(int low, int high) => low + Below(high - low + 1);

    /// <summary>A number in [0, 1).</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability) => Unit() < probability;

    /// <summary>One of the items, each as likely.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>One of the items, each as likely.</summary>
    public T Of<T>(params ReadOnlySpan<T> items) => items[Below(items.Length)];

    /// <summary><paramref name="count"/> different items in random order; all of them when there are fewer.</summary>
    public List<T> Sample<T>(IReadOnlyList<T> items, int count)
    {
        List<T> copy = [.. items];
        Shuffle(copy);
        if (count < copy.Count)
        {
            copy.RemoveRange(count, copy.Count - count);
        }
        return copy;
    }

    /// <summary>Fisher–Yates.</summary>
    public void Shuffle<T>(IList<T> items)
    {
        for (int i = items.Count - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
