using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Architectures;

/// <summary>
/// One decoder block, forward and backward, driven by the flags of <see cref="DecoderConfig"/>:
/// norm → q, k, v → (q/k norm) → rotation → attention → output → + → norm → gate, up → activation → down → +.
/// </summary>
/// <remarks>
/// Memory contract. Activations are written (=), parameter gradients are added to (+=), the gradient of the residual stream
/// is added to in place. What the forward pass keeps is in <see cref="BlockActivations"/>; outputs of norms and of the gated
/// product are made again in the backward pass. In the last block only the rows that reach the head go past the attention.
/// </remarks>
internal sealed class DecoderBlock
{
    private readonly ICompute _compute;
    private readonly DecoderConfig _config;
    private readonly DecoderMemory _memory;
    private readonly BlockWeights _weights;
    private readonly BlockWeights? _gradients;
    private readonly LoraLinear[] _linears = new LoraLinear[DecoderConfig.Projections];
    private readonly AttentionShape _attention;
    private readonly int _layer;
    private readonly bool _isLast;

    public DecoderBlock(
        ICompute compute, DecoderConfig config, DecoderMemory memory, int layer, DecoderParameters parameters)
    {
        _compute = compute;
        _config = config;
        _memory = memory;
        _layer = layer;
        _isLast = layer == config.Layers - 1;
        _weights = parameters.Weights.Blocks[layer];
        _gradients = parameters.Gradients?.Blocks[layer];
        _attention = config.Attention(layer);
        for (Projection p = 0; p < (Projection)DecoderConfig.Projections; p++)
        {
            _linears[(int)p] = new LoraLinear(
                compute,
                _weights.Weight(p),
                _weights.Bias(p),
                _gradients?.Weight(p) ?? Tensor.None,
                _gradients?.Bias(p) ?? Tensor.None,
                parameters.Adapter?.Pair(layer, p),
                parameters.AdapterGradients?.Pair(layer, p),
                (layer * DecoderConfig.Projections) + (int)p);
        }
    }

    /// <summary>Whether a backward pass leaves any gradient in this block.</summary>
    public bool IsTrained => _gradients is not null || Array.Exists(_linears, linear => linear.IsTrained);

    private bool TrainsBeforeAttention =>
        _gradients is not null || this[Projection.Query].IsTrained || this[Projection.Key].IsTrained || this[Projection.Value].IsTrained;

    private LoraLinear this[Projection projection] => _linears[(int)projection];

    /// <summary>Switches the block's adapters on or off.</summary>
    public void SetAdapters(bool enabled)
    {
        foreach (LoraLinear linear in _linears)
        {
            linear.Enabled = enabled;
        }
    }

    /// <summary>output = block(input), keeping in the block's slot what the backward pass needs.</summary>
    /// <param name="output">[T, hidden]; in the last block [R, hidden].</param>
    /// <param name="input">[T, hidden].</param>
    /// <param name="batch">The tokens.</param>
    /// <param name="draw">Dropout of this pass.</param>
    public void Forward(Tensor output, Tensor input, MicroBatch batch, in DropoutDraw draw)
    {
        BlockActivations a = _memory.Slot(_layer);
        Attend(a, input, batch, draw);
        Widen(a, input, batch, draw);
        Narrow(a, output, draw);
    }

    /// <summary>
    /// Makes again what <see cref="Forward"/> kept, when its slot has served other blocks in between; all but what the last
    /// product's adapter kept, which the backward pass makes when it has that product's input at hand.
    /// </summary>
    public void Recompute(Tensor input, MicroBatch batch, in DropoutDraw draw)
    {
        BlockActivations a = _memory.Slot(_layer);
        Attend(a, input, batch, draw);
        Widen(a, input, batch, draw);
    }

    /// <summary>
    /// Turns the gradient of the output into the gradient of the input, and adds to the gradients of what is trained.
    /// </summary>
    /// <param name="dResidual">[T, hidden]: the gradient of the output, then of the input. In the last block only the latter.</param>
    /// <param name="input">[T, hidden].</param>
    /// <param name="batch">The tokens.</param>
    /// <param name="draw">The dropout of the forward pass.</param>
    /// <param name="wantsInput">Whether anything below is trained; if not, the pass stops as early as it may.</param>
    public void Backward(Tensor dResidual, Tensor input, MicroBatch batch, in DropoutDraw draw, bool wantsInput)
    {
        BlockActivations a = _memory.Slot(_layer);
        Tensor d = _isLast ? _memory.DFinal : dResidual;
        bool wantsMiddle = wantsInput || TrainsBeforeAttention || this[Projection.Output].IsTrained;
        FeedForwardBackward(a, d, draw, wantsMiddle);
        if (!wantsMiddle)
        {
            return;
        }

        bool wantsAttention = wantsInput || TrainsBeforeAttention;
        OutputBackward(a, d, dResidual, batch, draw, wantsAttention);
        if (wantsAttention)
        {
            AttentionBackward(a, dResidual, input, batch, draw, wantsInput);
        }
    }

    /// <summary>norm, q, k, v, their norms, and rotation: everything before the attention itself.</summary>
    internal void Project(BlockActivations a, Tensor input, in DropoutDraw draw, ReadOnlySpan<AdapterRange> ranges = default)
    {
        Tensor x = _memory.Normed(input.Rows);
        _compute.RmsNormForward(x, a.RstdInput, input, _weights.Norm(BlockNorm.Input), _config.NormEpsilon);
        Apply(a, Projection.Query, a.RawQ, x, draw, ranges);
        Apply(a, Projection.Key, a.RawK, x, draw, ranges);
        Apply(a, Projection.Value, a.V, x, draw, ranges);
        if (_config.QueryKeyNorm)
        {
            _compute.RmsNormForward(
                ByHead(a.Q), a.RstdQ, ByHead(a.RawQ), _weights.Norm(BlockNorm.Query), _config.NormEpsilon);
            _compute.RmsNormForward(
                ByHead(a.K), a.RstdK, ByHead(a.RawK), _weights.Norm(BlockNorm.Key), _config.NormEpsilon);
        }

        _compute.Rope(a.Q, _memory.Cos, _memory.Sin, _config.HeadSize, inverse: false);
        _compute.Rope(a.K, _memory.Cos, _memory.Sin, _config.HeadSize, inverse: false);
    }

    /// <summary>Attention's output layer, the residual, and the two products into the wide layer.</summary>
    internal void Widen(
        BlockActivations a, Tensor input, MicroBatch batch, in DropoutDraw draw, ReadOnlySpan<AdapterRange> ranges = default)
    {
        Tensor o = a.O;
        if (_isLast && batch.Rows < batch.Tokens)
        {
            o = a.ORows;
            _compute.GatherRows(o, a.O, batch.TrainedRows);
            _compute.GatherRows(a.Middle, input, batch.TrainedRows);
        }
        else
        {
            _compute.Copy(a.Middle, input);
        }

        Apply(a, Projection.Output, a.Middle, o, draw, ranges, accumulate: true);
        Tensor x = _memory.Normed(a.Middle.Rows);
        _compute.RmsNormForward(x, a.RstdMiddle, a.Middle, _weights.Norm(BlockNorm.PostAttention), _config.NormEpsilon);
        Apply(a, Projection.Gate, a.Gate, x, draw, ranges);
        Apply(a, Projection.Up, a.Up, x, draw, ranges);
    }

    /// <summary>The gated product, the way back, and the second residual.</summary>
    internal void Narrow(BlockActivations a, Tensor output, in DropoutDraw draw, ReadOnlySpan<AdapterRange> ranges = default)
    {
        Tensor product = _memory.Product(a.Gate.Rows);
        _compute.GatedMlpForward(product, a.Gate, a.Up, _config.Activation);
        _compute.Copy(output, a.Middle);
        Apply(a, Projection.Down, output, product, draw, ranges, accumulate: true);
    }

    /// <summary>The attention of whole sequences.</summary>
    internal void AttendSegments(BlockActivations a, MicroBatch batch) =>
        _compute.AttentionForward(a.O, a.LogSumExp, a.Q, a.K, a.V, batch.Segments, _attention);

    private void Attend(BlockActivations a, Tensor input, MicroBatch batch, in DropoutDraw draw)
    {
        a.Bind(batch.Tokens, _isLast ? batch.Rows : batch.Tokens);
        Project(a, input, draw);
        AttendSegments(a, batch);
    }

    private void Apply(
        BlockActivations a, Projection p, Tensor y, Tensor x, in DropoutDraw draw, ReadOnlySpan<AdapterRange> ranges,
        bool accumulate = false)
    {
        LoraLinear linear = this[p];
        linear.Forward(y, x, a.Z(p, linear.Rank), Dropped(x, draw), draw, accumulate);
        foreach (AdapterRange range in ranges)
        {
            range.Apply(_compute, _memory, _layer, p, y, x);
        }
    }

    private void Reverse(
        BlockActivations a, Projection p, Tensor dx, Tensor dy, Tensor x, in DropoutDraw draw, bool accumulate)
    {
        LoraLinear linear = this[p];
        linear.Backward(
            dx, dy, x, a.Z(p, linear.Rank), _memory.DZ(x.Rows, linear.Rank), Dropped(x, draw), draw, accumulate);
    }

    private void FeedForwardBackward(BlockActivations a, Tensor d, in DropoutDraw draw, bool wantsMiddle)
    {
        int rows = a.Gate.Rows;
        Tensor product = _memory.Product(rows);
        if (this[Projection.Down].IsTrained)
        {
            _compute.GatedMlpForward(product, a.Gate, a.Up, _config.Activation);
            if (_memory.IsRecomputed(_layer))
            {
                LoraLinear down = this[Projection.Down];
                down.Reduce(product, a.Z(Projection.Down, down.Rank), Dropped(product, draw), draw);
            }
        }

        bool wantsWide = wantsMiddle || this[Projection.Gate].IsTrained || this[Projection.Up].IsTrained;
        Tensor dProduct = wantsWide ? _memory.DProduct(rows) : Tensor.None;
        Reverse(a, Projection.Down, dProduct, d, product, draw, accumulate: false);
        if (!wantsWide)
        {
            return;
        }

        // Gate and up are not needed again: their gradients take their place.
        _compute.GatedMlpBackward(a.Gate, a.Up, dProduct, a.Gate, a.Up, _config.Activation);
        Tensor x = _memory.Normed(rows);
        if (this[Projection.Gate].IsTrained || this[Projection.Up].IsTrained)
        {
            _compute.RmsNormForward(x, a.RstdMiddle, a.Middle, _weights.Norm(BlockNorm.PostAttention), _config.NormEpsilon);
        }

        Tensor dx = wantsMiddle ? _memory.DNormed(rows) : Tensor.None;
        Reverse(a, Projection.Gate, dx, a.Gate, x, draw, accumulate: false);
        Reverse(a, Projection.Up, dx, a.Up, x, draw, accumulate: true);
        if (wantsMiddle)
        {
            _compute.RmsNormBackward(
                d, DNorm(BlockNorm.PostAttention), dx, a.Middle, a.RstdMiddle, _weights.Norm(BlockNorm.PostAttention),
                accumulate: true);
        }
    }

    private void OutputBackward(
        BlockActivations a, Tensor d, Tensor dResidual, MicroBatch batch, in DropoutDraw draw, bool wantsAttention)
    {
        bool gathered = _isLast && batch.Rows < batch.Tokens;
        Tensor dO = !wantsAttention ? Tensor.None : gathered ? _memory.DORows : _memory.DO;
        Reverse(a, Projection.Output, dO, d, gathered ? a.ORows : a.O, draw, accumulate: false);
        if (!wantsAttention || !_isLast)
        {
            return;
        }

        if (!gathered)
        {
            _compute.Copy(dResidual, d);
            return;
        }

        _compute.Fill(_memory.DO, 0);
        _compute.ScatterAddRows(_memory.DO, dO, batch.TrainedRows);
        _compute.Fill(dResidual, 0);
        _compute.ScatterAddRows(dResidual, d, batch.TrainedRows);
    }

    private void AttentionBackward(
        BlockActivations a, Tensor dResidual, Tensor input, MicroBatch batch, in DropoutDraw draw, bool wantsInput)
    {
        (Tensor dq, Tensor dk, Tensor dv) = (_memory.DQ, _memory.DK, _memory.DV);
        _compute.AttentionBackward(
            dq, dk, dv, _memory.DO, a.O, a.LogSumExp, a.Q, a.K, a.V, batch.Segments, _attention);
        _compute.Rope(dq, _memory.Cos, _memory.Sin, _config.HeadSize, inverse: true);
        _compute.Rope(dk, _memory.Cos, _memory.Sin, _config.HeadSize, inverse: true);
        if (_config.QueryKeyNorm)
        {
            _compute.RmsNormBackward(
                ByHead(dq), DNorm(BlockNorm.Query), ByHead(dq), ByHead(a.RawQ), a.RstdQ,
                _weights.Norm(BlockNorm.Query), accumulate: false);
            _compute.RmsNormBackward(
                ByHead(dk), DNorm(BlockNorm.Key), ByHead(dk), ByHead(a.RawK), a.RstdK,
                _weights.Norm(BlockNorm.Key), accumulate: false);
        }

        Tensor x = _memory.Normed(input.Rows);
        if (TrainsBeforeAttention)
        {
            _compute.RmsNormForward(x, a.RstdInput, input, _weights.Norm(BlockNorm.Input), _config.NormEpsilon);
        }

        // With full training the norm's own weight wants the gradient of its output even in the lowest block.
        bool wantsNormed = wantsInput || _gradients is not null;
        Tensor dx = wantsNormed ? _memory.DNormed(input.Rows) : Tensor.None;
        Reverse(a, Projection.Query, dx, dq, x, draw, accumulate: false);
        Reverse(a, Projection.Key, dx, dk, x, draw, accumulate: true);
        Reverse(a, Projection.Value, dx, dv, x, draw, accumulate: true);
        if (wantsNormed)
        {
            _compute.RmsNormBackward(
                dResidual, DNorm(BlockNorm.Input), dx, input, a.RstdInput, _weights.Norm(BlockNorm.Input), accumulate: true);
        }
    }

    private Tensor Dropped(Tensor x, in DropoutDraw draw) =>
        draw.Probability == 0 ? Tensor.None : _memory.Dropped(x.Rows, x.Columns);

    private Tensor DNorm(BlockNorm norm) => _gradients?.Norm(norm) ?? Tensor.None;

    /// <summary>[T, heads · headSize] seen as one row a head.</summary>
    private Tensor ByHead(Tensor x) => x.Reshape(x.Rows * (x.Columns / _config.HeadSize), _config.HeadSize);
}
