using Anneal.Engine.Tensors;

namespace Anneal.Engine.Data;

/// <summary>
/// Which examples each step trains on: every epoch is a fresh shuffle, a function of the seed and the epoch alone, so any step's
/// batch can be found again without a history.
/// </summary>
public sealed class Batches
{
    // Streams of the run's seed; the others belong to initialisation and dropout.
    private const ulong ShuffleStream = 0x5368_7566_0000_0000;

    private readonly int[] _order;
    private readonly ulong _seed;
    private readonly bool _shuffle;
    private int _epoch = -1;

    /// <summary>Plans batches.</summary>
    /// <param name="examples">Number of examples.</param>
    /// <param name="batchSize">Examples of a step; the last step of an epoch has what is left.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="shuffle">False: the file's order in every epoch.</param>
    public Batches(int examples, int batchSize, ulong seed, bool shuffle = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(examples);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        _order = new int[examples];
        _seed = seed;
        _shuffle = shuffle;
        BatchSize = batchSize;
        StepsPerEpoch = (examples + batchSize - 1) / batchSize;
    }

    /// <summary>Examples of a full step.</summary>
    public int BatchSize { get; }

    /// <summary>Steps of one epoch.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Indices of the examples of a step.</summary>
    /// <param name="step">Number of the step, from 1.</param>
    public ReadOnlySpan<int> Of(int step)
    {
        int epoch = (step - 1) / StepsPerEpoch;
        if (epoch != _epoch)
        {
            Shuffle(epoch);
        }

        int start = (step - 1) % StepsPerEpoch * BatchSize;
        return _order.AsSpan(start, Math.Min(BatchSize, _order.Length - start));
    }

    // Fisher and Yates, Durstenfeld's form.
    private void Shuffle(int epoch)
    {
        _epoch = epoch;
        for (int i = 0; i < _order.Length; i++)
        {
            _order[i] = i;
        }

        for (int i = _order.Length - 1; _shuffle && i > 0; i--)
        {
            int j = Philox.BelowAt(_seed, ShuffleStream + (ulong)epoch, (ulong)i, i + 1);
            (_order[i], _order[j]) = (_order[j], _order[i]);
        }
    }
}
