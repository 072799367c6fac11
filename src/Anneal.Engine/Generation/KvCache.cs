using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Generation;

/// <summary>Keys and values of one sequence: for each block two F32 matrices [capacity, kvHeads · headSize] that fill up row by row.</summary>
internal sealed class KvCache : IDisposable
{
    private readonly Arena _arena;
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    public KvCache(DecoderConfig config, ICompute compute, int capacity)
    {
        Capacity = capacity;
        _arena = compute.CreateArena(Bytes(config, capacity));
        _keys = new Tensor[config.Layers];
        _values = new Tensor[config.Layers];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            _keys[layer] = _arena.Allocate(capacity, config.KeyValueSize);
            _values[layer] = _arena.Allocate(capacity, config.KeyValueSize);
        }
    }

    /// <summary>Tokens that fit.</summary>
    public int Capacity { get; }

    /// <summary>Tokens in it.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of a cache.</summary>
    public static long Bytes(DecoderConfig config, int capacity) =>
        2L * config.Layers * Arena.BytesFor(capacity, config.KeyValueSize, DType.F32);

    public Tensor Keys(int layer) => _keys[layer];

    public Tensor Values(int layer) => _values[layer];

    /// <summary>Counts tokens whose keys and values have been written in every block.</summary>
    public void Advance(int tokens)
    {
        if (Length + tokens > Capacity)
        {
            throw new InvalidOperationException($"A cache of {Capacity} tokens cannot hold {Length + tokens}.");
        }

        Length += tokens;
    }

    public void Dispose() => _arena.Dispose();
}
