using System.Runtime.InteropServices;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Generation;

/// <summary>
/// One forward pass for generation: new tokens of many sequences go through the weights together, prompts with all their tokens,
/// running texts with one token each. Keys and values stay in each sequence's cache; logits come out for last tokens only.
/// </summary>
internal sealed class DecoderStep : ICachedAttention, IDisposable
{
    // Prompt tokens of one step at most, but for a single prompt that is longer: running texts wait no longer than that.
    private const int PromptTokensMax = 1024;

    // Scratch for an adapter's inner products is tokens × rank; beyond this rank an adapter is refused when it is loaded.
    private const int RankMax = 1024;

    private readonly BaseModel _model;
    private readonly DecoderConfig _config;
    private readonly ICompute _compute;
    private readonly List<Sequence> _prompts = [];
    private readonly List<Sequence> _running = [];
    private readonly List<AdapterRange> _ranges = [];
    private readonly int[] _one = new int[1];
    private Workspace? _workspace;
    private Tensor _logits;
    private int _promptTokens;
    private int[] _lengths = [];
    private Tensor[] _keys = [];
    private Tensor[] _values = [];

    public DecoderStep(BaseModel model, ICompute compute)
    {
        _model = model;
        _config = model.Config;
        _compute = compute;
    }

    public long CacheBytes(int tokens) => KvCache.Bytes(_config, tokens);

    public KvCache CreateCache(int tokens) => new(_config, _compute, tokens);

    public LoraAdapter LoadAdapter(string folder)
    {
        LoraAdapter adapter = LoraCheckpoint.Load(folder, _config, _compute);
        int rank = RankOf(adapter);
        if (rank <= RankMax)
        {
            return adapter;
        }

        adapter.Dispose();
        throw new InvalidDataException($"The adapter in {folder} has rank {rank}; at most {RankMax} can be served.");
    }

    public void CheckId(int id)
    {
        if ((uint)id >= (uint)_config.VocabularySize)
        {
            throw new ArgumentException($"Token id {id} is not in a vocabulary of {_config.VocabularySize}.");
        }
    }

    /// <summary>
    /// Advances sequences by their uncached tokens and leaves logits for each that took part: those have a
    /// <see cref="Sequence.LogitsRow"/> of 0 or more. Prompts beyond the step's limit wait for the next one.
    /// </summary>
    public void Run(IReadOnlyList<Sequence> sequences)
    {
        Choose(sequences);
        Workspace w = Reserve();
        w.Batch.Clear();
        _ranges.Clear();
        foreach (Sequence sequence in _prompts)
        {
            Append(w.Batch, sequence, sequence.Request.PromptIds, 0);
        }

        foreach (Sequence sequence in _running)
        {
            _one[0] = sequence.LastId;
            Append(w.Batch, sequence, _one, sequence.Cache!.Length);
        }

        Tensor last = w.Decoder.Infer(w.Batch, this, CollectionsMarshal.AsSpan(_ranges));
        _logits = w.Logits.SliceRows(0, last.Rows);
        _compute.MatMul(_logits, last, _model.Weights.Head, MatMulLayout.NT);
        foreach (Sequence sequence in _prompts)
        {
            sequence.Cache!.Advance(sequence.Request.PromptIds.Length);
        }

        foreach (Sequence sequence in _running)
        {
            sequence.Cache!.Advance(1);
        }
    }

    /// <summary>Logits [vocabulary] of a sequence that took part in the last step.</summary>
    public ReadOnlySpan<float> LogitsOf(Sequence sequence) => _logits.SliceRows(sequence.LogitsRow, 1).AsSpan<float>();

    /// <inheritdoc/>
    public void Attend(
        int layer, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, MicroBatch batch, in AttentionShape shape)
    {
        for (int s = 0; s < batch.Sequences; s++)
        {
            KvCache cache = (s < _prompts.Count ? _prompts[s] : _running[s - _prompts.Count]).Cache!;
            int first = batch.Segments[s];
            int count = batch.Segments[s + 1] - first;
            _compute.Copy(cache.Keys(layer).SliceRows(cache.Length, count), k.SliceRows(first, count));
            _compute.Copy(cache.Values(layer).SliceRows(cache.Length, count), v.SliceRows(first, count));
        }

        int prompts = _promptTokens;
        if (prompts > 0)
        {
            _compute.AttentionForward(
                o.SliceRows(0, prompts), new Tensor(logSumExp.Address, _config.Heads, prompts, DType.F32), q.SliceRows(0, prompts),
                k.SliceRows(0, prompts), v.SliceRows(0, prompts), batch.Segments[..(_prompts.Count + 1)], shape);
        }

        int running = _running.Count;
        if (running > 0)
        {
            for (int i = 0; i < running; i++)
            {
                KvCache cache = _running[i].Cache!;
                (_keys[i], _values[i], _lengths[i]) = (cache.Keys(layer), cache.Values(layer), cache.Length + 1);
            }

            _compute.AttentionDecode(
                o.SliceRows(prompts, running), q.SliceRows(prompts, running), _keys.AsSpan(0, running),
                _values.AsSpan(0, running), _lengths.AsSpan(0, running), shape);
        }
    }

    public void Dispose() => _workspace?.Dispose();

    // Prompts first, then running texts, each sorted by adapter, so that an adapter's tokens are neighbours.
    private void Choose(IReadOnlyList<Sequence> sequences)
    {
        _prompts.Clear();
        _running.Clear();
        _promptTokens = 0;
        foreach (Sequence sequence in sequences)
        {
            sequence.LogitsRow = -1;
            int length = sequence.Request.PromptIds.Length;
            if (sequence.Cache!.Length > 0)
            {
                _running.Add(sequence);
            }
            else if (_promptTokens == 0 || _promptTokens + length <= PromptTokensMax)
            {
                _prompts.Add(sequence);
                _promptTokens += length;
            }
        }

        _prompts.Sort(ByAdapter);
        _running.Sort(ByAdapter);
        Grow(ref _lengths, _running.Count);
        Grow(ref _keys, _running.Count);
        Grow(ref _values, _running.Count);
    }

    private void Append(MicroBatch batch, Sequence sequence, int[] ids, int start)
    {
        sequence.LogitsRow = batch.Rows;
        (int token, int row) = (batch.Tokens, batch.Rows);
        batch.AddPrompt(ids, start, start + ids.Length);
        if (sequence.Adapter?.Weights is not { } adapter)
        {
            return;
        }

        if (_ranges.Count > 0 && ReferenceEquals(_ranges[^1].Adapter, adapter) && _ranges[^1].Row + _ranges[^1].Rows == row)
        {
            AdapterRange range = _ranges[^1];
            _ranges[^1] = range with { Tokens = range.Tokens + ids.Length, Rows = range.Rows + 1 };
        }
        else
        {
            _ranges.Add(new AdapterRange(adapter, token, ids.Length, row, 1));
        }
    }

    private Workspace Reserve()
    {
        int tokens = _promptTokens + _running.Count;
        int rows = _prompts.Count + _running.Count;
        int rank = _prompts.Concat(_running).Max(sequence => sequence.Adapter is { } a ? RankOf(a.Weights) : 0);
        if (_workspace is { } now && now.Tokens >= tokens && now.Rows >= rows && now.Rank >= rank)
        {
            return now;
        }

        (int oldTokens, int oldRows, int oldRank) = (_workspace?.Tokens ?? 0, _workspace?.Rows ?? 0, _workspace?.Rank ?? 0);
        _workspace?.Dispose();
        _workspace = null;
        _workspace = new Workspace(
            _model, _compute, Math.Max(tokens, oldTokens), Math.Max(rows, oldRows), Math.Max(rank, oldRank));
        return _workspace;
    }

    private static int RankOf(LoraAdapter adapter) => adapter.Pairs.Max(pair => pair.Slot.Rank);

    private static int ByAdapter(Sequence a, Sequence b) => (a.Adapter?.Number ?? 0).CompareTo(b.Adapter?.Number ?? 0);

    private static void Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = new T[Math.Max(length, 2 * array.Length)];
        }
    }

    /// <summary>The decoder and its memory; made anew when a step is larger than any before.</summary>
    private sealed class Workspace : IDisposable
    {
        private readonly Arena _arena;

        public Workspace(BaseModel model, ICompute compute, int tokens, int rows, int rank)
        {
            (Tokens, Rows, Rank) = (tokens, rows, rank);
            DecoderRoom room = new(tokens, rows, Slots: 1, rank, Dropout: false, Backward: false);
            long bytes = Arena.BytesFor(rows, model.Config.VocabularySize, DType.F32) + Measure(model.Config, room);
            _arena = compute.CreateArena(bytes);
            Logits = _arena.Allocate(rows, model.Config.VocabularySize);
            DecoderMemory memory = new(model.Config, room, (r, c) => _arena.Allocate(r, c));
            Decoder = new Decoder(compute, model.Config, new DecoderParameters(model.Weights), memory);
            Batch = new MicroBatch(tokens, rows);
        }

        public int Tokens { get; }

        public int Rows { get; }

        public int Rank { get; }

        public Tensor Logits { get; }

        public Decoder Decoder { get; }

        public MicroBatch Batch { get; }

        public void Dispose() => _arena.Dispose();

        // The same layout with a counter in place of memory.
        private static long Measure(DecoderConfig config, in DecoderRoom room)
        {
            long bytes = 0;
            _ = new DecoderMemory(config, room, (r, c) =>
            {
                bytes += Arena.BytesFor(r, c, DType.F32);
                return Tensor.None;
            });
            return bytes;
        }
    }
}
