using Anneal.Engine.Data;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Architectures;

/// <summary>Gives memory of [rows, columns] in F32; a planner's only counts.</summary>
internal delegate Tensor Allocate(int rows, int columns);

/// <summary>A tensor made for the largest micro-batch, and the part of it that the present one uses.</summary>
internal sealed class ActivationBuffer
{
    private readonly Tensor _whole;

    public ActivationBuffer(Allocate allocate, int rows, int columns) =>
        _whole = rows > 0 && columns > 0 ? allocate(rows, columns) : Tensor.None;

    /// <summary>The first rows of it.</summary>
    public Tensor Now { get; private set; }

    public void Bind(int rows) => Now = _whole.IsNone ? Tensor.None : _whole.SliceRows(0, rows);

    /// <summary>The same memory, elements end to end, as another shape.</summary>
    public void Bind(int rows, int asRows, int asColumns) => Now = _whole.SliceRows(0, rows).Reshape(asRows, asColumns);
}

/// <summary>How much room a decoder's activations need.</summary>
/// <param name="Tokens">Most tokens of a micro-batch.</param>
/// <param name="Rows">Most rows that reach the head.</param>
/// <param name="Slots">Blocks whose activations are kept for the backward pass, 1 to the number of blocks.</param>
/// <param name="MaxRank">Largest rank of an adapter; 0 without.</param>
/// <param name="Dropout">Whether adapters use dropout.</param>
/// <param name="Backward">Whether there is a backward pass.</param>
internal readonly record struct DecoderRoom(int Tokens, int Rows, int Slots, int MaxRank, bool Dropout, bool Backward);

/// <summary>
/// What one block keeps between its forward and backward pass. The outputs of norms and of the gated product are not kept:
/// each is one pass over memory to make again. Per token and block: hidden + 2·queries + 2·keys + 2·intermediate numbers
/// (with q/k norm once more queries + keys).
/// </summary>
internal sealed class BlockActivations
{
    private readonly ActivationBuffer _rstdInput;
    private readonly ActivationBuffer _rawQ;
    private readonly ActivationBuffer _rawK;
    private readonly ActivationBuffer _rstdQ;
    private readonly ActivationBuffer _rstdK;
    private readonly ActivationBuffer _q;
    private readonly ActivationBuffer _k;
    private readonly ActivationBuffer _v;
    private readonly ActivationBuffer _o;
    private readonly ActivationBuffer _oRows;
    private readonly ActivationBuffer _logSumExp;
    private readonly ActivationBuffer _middle;
    private readonly ActivationBuffer _rstdMiddle;
    private readonly ActivationBuffer _gate;
    private readonly ActivationBuffer _up;
    private readonly ActivationBuffer[] _z = new ActivationBuffer[DecoderConfig.Projections];
    private readonly DecoderConfig _config;

    public BlockActivations(DecoderConfig config, in DecoderRoom room, bool isLast, Allocate allocate)
    {
        _config = config;
        int tokens = room.Tokens;
        int rows = isLast ? room.Rows : tokens;
        int normed = config.QueryKeyNorm ? tokens : 0;
        ActivationBuffer Buffer(int r, int c) => new(allocate, r, c);
        _rstdInput = Buffer(tokens, 1);
        _rawQ = Buffer(normed, config.QuerySize);
        _rawK = Buffer(normed, config.KeyValueSize);
        _rstdQ = Buffer(normed, config.Heads);
        _rstdK = Buffer(normed, config.KeyValueHeads);
        _q = Buffer(tokens, config.QuerySize);
        _k = Buffer(tokens, config.KeyValueSize);
        _v = Buffer(tokens, config.KeyValueSize);
        _o = Buffer(tokens, config.QuerySize);
        _oRows = Buffer(isLast && room.Rows > 0 ? room.Rows : 0, config.QuerySize);
        _logSumExp = Buffer(tokens, config.Heads);
        _middle = Buffer(rows, config.HiddenSize);
        _rstdMiddle = Buffer(rows, 1);
        _gate = Buffer(rows, config.IntermediateSize);
        _up = Buffer(rows, config.IntermediateSize);
        for (int p = 0; p < _z.Length; p++)
        {
            _z[p] = Buffer(p >= (int)Projection.Output ? rows : tokens, room.MaxRank);
        }
    }

    public Tensor RstdInput => _rstdInput.Now;

    /// <summary>q before its norm, or q itself in a model without.</summary>
    public Tensor RawQ => _config.QueryKeyNorm ? _rawQ.Now : _q.Now;

    public Tensor RawK => _config.QueryKeyNorm ? _rawK.Now : _k.Now;

    public Tensor RstdQ => _rstdQ.Now;

    public Tensor RstdK => _rstdK.Now;

    public Tensor Q => _q.Now;

    public Tensor K => _k.Now;

    public Tensor V => _v.Now;

    public Tensor O => _o.Now;

    /// <summary>The attention's output at the rows that reach the head; last block only.</summary>
    public Tensor ORows => _oRows.Now;

    public Tensor LogSumExp => _logSumExp.Now;

    /// <summary>The residual stream between attention and feed-forward layer.</summary>
    public Tensor Middle => _middle.Now;

    public Tensor RstdMiddle => _rstdMiddle.Now;

    public Tensor Gate => _gate.Now;

    public Tensor Up => _up.Now;

    /// <summary>x·Aᵀ of an adapter of <paramref name="rank"/>.</summary>
    public Tensor Z(Projection projection, int rank) =>
        rank == 0 ? Tensor.None : _z[(int)projection].Now.SliceColumns(0, rank);

    /// <summary>Sets the sizes of the present micro-batch.</summary>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="rows">Rows behind the attention: all tokens but in the last block.</param>
    public void Bind(int tokens, int rows)
    {
        foreach (ActivationBuffer buffer in (ReadOnlySpan<ActivationBuffer>)[_rstdInput, _rawQ, _rawK, _q, _k, _v, _o])
        {
            buffer.Bind(tokens);
        }

        foreach (ActivationBuffer buffer in (ReadOnlySpan<ActivationBuffer>)[_oRows, _middle, _rstdMiddle, _gate, _up])
        {
            buffer.Bind(rows);
        }

        if (_config.QueryKeyNorm)
        {
            _rstdQ.Bind(tokens, tokens * _config.Heads, 1);
            _rstdK.Bind(tokens, tokens * _config.KeyValueHeads, 1);
        }

        _logSumExp.Bind(tokens, _config.Heads, tokens);
        for (int p = 0; p < _z.Length; p++)
        {
            _z[p].Bind(p >= (int)Projection.Output ? rows : tokens);
        }
    }
}

/// <summary>All memory of a decoder's activations: what blocks keep, and what they share while one of them runs.</summary>
internal sealed class DecoderMemory
{
    private readonly DecoderConfig _config;
    private readonly BlockActivations[] _slots;
    private readonly ActivationBuffer[] _inputs;
    private readonly ActivationBuffer[] _tokenScratch;
    private readonly ActivationBuffer[] _rowScratch;
    private readonly ActivationBuffer _cos;
    private readonly ActivationBuffer _sin;
    private readonly ActivationBuffer _dropped;

    public DecoderMemory(DecoderConfig config, in DecoderRoom room, Allocate allocate)
    {
        _config = config;
        Room = room;
        int tokens = room.Tokens;
        int rows = room.Rows;
        int backward = room.Backward ? tokens : 0;
        int backwardRows = room.Backward ? rows : 0;
        ActivationBuffer Buffer(int r, int c) => new(allocate, r, c);

        _slots = new BlockActivations[room.Slots];
        for (int s = 0; s < _slots.Length; s++)
        {
            // Without a backward pass, or with fewer slots than blocks, a slot serves inner blocks too and needs all rows.
            bool onlyLast = s == _slots.Length - 1 && s > 0;
            _slots[s] = new BlockActivations(config, room with { Rows = onlyLast ? rows : Math.Max(rows, tokens) }, s == _slots.Length - 1, allocate);
        }

        int inputs = room.Backward ? config.Layers : Math.Min(2, config.Layers);
        _inputs = [.. Enumerable.Range(0, inputs).Select(_ => Buffer(tokens, config.HiddenSize))];
        _tokenScratch =
        [
            Buffer(tokens, config.HiddenSize), Buffer(tokens, config.IntermediateSize), Buffer(backward, config.HiddenSize),
            Buffer(backward, config.IntermediateSize), Buffer(backward, config.QuerySize), Buffer(backward, config.KeyValueSize),
            Buffer(backward, config.KeyValueSize), Buffer(backward, config.QuerySize), Buffer(backward, config.HiddenSize),
            Buffer(tokens, room.MaxRank),
        ];
        _rowScratch =
        [
            Buffer(rows, config.HiddenSize), Buffer(rows, config.HiddenSize), Buffer(rows, 1),
            Buffer(backwardRows, config.HiddenSize), Buffer(backwardRows, config.HiddenSize),
            Buffer(backwardRows, config.QuerySize),
        ];
        int widest = Math.Max(config.HiddenSize, Math.Max(config.IntermediateSize, config.QuerySize));
        _dropped = Buffer(room.Dropout ? tokens : 0, widest);
        _cos = Buffer(tokens, config.Rope.RotarySize / 2);
        _sin = Buffer(tokens, config.Rope.RotarySize / 2);
    }

    public DecoderRoom Room { get; }

    /// <summary>Output of a norm, made again whenever it is wanted.</summary>
    public Tensor Normed(int rows) => _tokenScratch[0].Now.SliceRows(0, rows);

    /// <summary>Output of the gated product, likewise.</summary>
    public Tensor Product(int rows) => _tokenScratch[1].Now.SliceRows(0, rows);

    public Tensor DNormed(int rows) => _tokenScratch[2].Now.SliceRows(0, rows);

    public Tensor DProduct(int rows) => _tokenScratch[3].Now.SliceRows(0, rows);

    public Tensor DQ => _tokenScratch[4].Now;

    public Tensor DK => _tokenScratch[5].Now;

    public Tensor DV => _tokenScratch[6].Now;

    public Tensor DO => _tokenScratch[7].Now;

    /// <summary>Gradient of the residual stream, [T, hidden].</summary>
    public Tensor DResidual => _tokenScratch[8].Now;

    public Tensor DZ(int rows, int rank) =>
        rank == 0 ? Tensor.None : _tokenScratch[9].Now.SliceRows(0, rows).SliceColumns(0, rank);

    /// <summary>Output of the last block at the rows that reach the head, [R, hidden].</summary>
    public Tensor Final => _rowScratch[0].Now;

    public Tensor FinalNormed => _rowScratch[1].Now;

    public Tensor RstdFinal => _rowScratch[2].Now;

    public Tensor DFinal => _rowScratch[3].Now;

    public Tensor DFinalNormed => _rowScratch[4].Now;

    /// <summary>Gradient of the attention's output at those rows.</summary>
    public Tensor DORows => _rowScratch[5].Now;

    public Tensor Cos => _cos.Now;

    public Tensor Sin => _sin.Now;

    public Tensor Dropped(int rows, int columns) => Room.Dropout
        ? _dropped.Now.SliceRows(0, rows).SliceColumns(0, columns)
        : Tensor.None;

    /// <summary>The input of a block. Without a backward pass two buffers take turns.</summary>
    public Tensor Input(int layer) => _inputs[layer % _inputs.Length].Now;

    /// <summary>
    /// The slot of a block: the last blocks have their own, all before them share the first, which is free again by the time
    /// the backward pass reaches them.
    /// </summary>
    public BlockActivations Slot(int layer) => _slots[Math.Max(0, layer - (_config.Layers - _slots.Length))];

    /// <summary>Whether the activations of a block are gone by the time of its backward pass.</summary>
    public bool IsRecomputed(int layer) => layer < _config.Layers - _slots.Length;

    /// <summary>Sets the sizes of the present micro-batch; angles are written by the caller.</summary>
    public void Bind(MicroBatch batch)
    {
        foreach (ActivationBuffer buffer in _inputs)
        {
            buffer.Bind(batch.Tokens);
        }

        foreach (ActivationBuffer buffer in _tokenScratch)
        {
            buffer.Bind(batch.Tokens);
        }

        foreach (ActivationBuffer buffer in _rowScratch)
        {
            buffer.Bind(batch.Rows);
        }

        _cos.Bind(batch.Tokens);
        _sin.Bind(batch.Tokens);
        _dropped.Bind(batch.Tokens);
    }
}
