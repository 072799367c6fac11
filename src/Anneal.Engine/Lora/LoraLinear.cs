using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Lora;

/// <summary>Dropout of one forward pass and the backward pass that belongs to it.</summary>
/// <param name="Probability">0 switches it off.</param>
/// <param name="Seed">Key of the generator.</param>
/// <param name="Stream">Different for every micro-batch of a run; a layer adds its own number.</param>
public readonly record struct DropoutDraw(float Probability, ulong Seed, ulong Stream);

/// <summary>
/// One linear layer with what training may want of it: y = x·Wᵀ + b + scale · (d(x)·Aᵀ)·Bᵀ, forward and backward.
/// Whether the weight, the adapter or neither is trained shows in which gradients are there.
/// </summary>
/// <remarks>
/// FLOPs for T rows: forward 2·T·in·out + 2·T·rank·(in + out); backward the same for dx, and again for dW or dA and dB.
/// All gradients of parameters are +=.
/// </remarks>
public sealed class LoraLinear
{
    private readonly ICompute _compute;
    private readonly Tensor _weight;
    private readonly Tensor _bias;
    private readonly Tensor _dWeight;
    private readonly Tensor _dBias;
    private readonly LoraPair? _pair;
    private readonly LoraPair? _dPair;
    private readonly ulong _number;

    /// <summary>Describes a layer.</summary>
    /// <param name="compute">The device.</param>
    /// <param name="weight">[outputs, inputs], in any floating type.</param>
    /// <param name="bias">[1, outputs], or none.</param>
    /// <param name="dWeight">Gradient of the weight, or none when it is frozen.</param>
    /// <param name="dBias">Gradient of the bias, or none.</param>
    /// <param name="pair">The adapter's factors, or null.</param>
    /// <param name="dPair">Their gradients, or null when they are frozen.</param>
    /// <param name="number">Tells the dropout of this layer from that of all others.</param>
    public LoraLinear(
        ICompute compute, Tensor weight, Tensor bias, Tensor dWeight, Tensor dBias, LoraPair? pair, LoraPair? dPair, int number)
    {
        _compute = compute;
        _weight = weight;
        _bias = bias;
        _dWeight = dWeight;
        _dBias = dBias;
        _pair = pair;
        _dPair = dPair;
        _number = (ulong)number;
    }

    /// <summary>Whether a backward pass leaves any gradient here.</summary>
    public bool IsTrained => !_dWeight.IsNone || !_dBias.IsNone || _dPair is not null;

    /// <summary>Rank of the adapter; 0 without one.</summary>
    public int Rank => _pair?.Slot.Rank ?? 0;

    /// <summary>Whether the adapter takes part. Off, the layer is the base's: the reference of preference methods.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>y = layer(x), or y += layer(x).</summary>
    /// <param name="y">[T, outputs].</param>
    /// <param name="x">[T, inputs].</param>
    /// <param name="z">[T, rank]: x·Aᵀ, kept for the backward pass; unused without an adapter.</param>
    /// <param name="dropped">[T, inputs], scratch; used only with dropout.</param>
    /// <param name="draw">Dropout of the adapter's input.</param>
    /// <param name="accumulate">Whether y is added to, which is how a residual stream takes a layer's output.</param>
    public void Forward(Tensor y, Tensor x, Tensor z, Tensor dropped, in DropoutDraw draw, bool accumulate = false)
    {
        _compute.MatMul(y, x, _weight, MatMulLayout.NT, accumulate: accumulate);
        if (!_bias.IsNone)
        {
            _compute.AddBias(y, _bias);
        }

        Reduce(x, z, dropped, draw);
        if (_pair is not null && Enabled)
        {
            _compute.MatMul(y, z, _pair.B, MatMulLayout.NT, _pair.Slot.Scale, accumulate: true);
        }
    }

    /// <summary>z = d(x)·Aᵀ alone: what a backward pass needs of a forward pass whose output nobody wants again.</summary>
    public void Reduce(Tensor x, Tensor z, Tensor dropped, in DropoutDraw draw)
    {
        if (_pair is not null && Enabled)
        {
            _compute.MatMul(z, Drop(dropped, x, draw), _pair.A, MatMulLayout.NT);
        }
    }

    /// <summary>Adds the adapter's part alone: y += scale · (x·Aᵀ)·Bᵀ. For rows of a batch that carry another adapter each.</summary>
    public static void AddAdapter(ICompute compute, LoraPair pair, Tensor y, Tensor x, Tensor z)
    {
        compute.MatMul(z, x, pair.A, MatMulLayout.NT);
        compute.MatMul(y, z, pair.B, MatMulLayout.NT, pair.Slot.Scale, accumulate: true);
    }

    /// <summary>dx (= or +=) and the gradients of whatever is trained.</summary>
    /// <param name="dx">[T, inputs], or none when nothing below is trained.</param>
    /// <param name="dy">[T, outputs].</param>
    /// <param name="x">[T, inputs]: the input of the forward pass.</param>
    /// <param name="z">What the forward pass kept.</param>
    /// <param name="dz">[T, rank], scratch.</param>
    /// <param name="dropped">[T, inputs], scratch; used only with dropout.</param>
    /// <param name="draw">The dropout of the forward pass.</param>
    /// <param name="accumulate">Whether dx is added to.</param>
    public void Backward(
        Tensor dx, Tensor dy, Tensor x, Tensor z, Tensor dz, Tensor dropped, in DropoutDraw draw, bool accumulate)
    {
        if (!_dWeight.IsNone)
        {
            _compute.MatMul(_dWeight, dy, x, MatMulLayout.TN, accumulate: true);
        }

        if (!_dBias.IsNone)
        {
            _compute.BiasGradient(_dBias, dy);
        }

        if (!dx.IsNone)
        {
            _compute.MatMul(dx, dy, _weight, MatMulLayout.NN, accumulate: accumulate);
        }

        if (_pair is not null && Enabled)
        {
            AdapterBackward(dx, dy, x, z, dz, dropped, draw);
        }
    }

    private void AdapterBackward(Tensor dx, Tensor dy, Tensor x, Tensor z, Tensor dz, Tensor dropped, in DropoutDraw draw)
    {
        LoraPair pair = _pair!;
        _compute.MatMul(dz, dy, pair.B, MatMulLayout.NN, pair.Slot.Scale);
        if (_dPair is not null)
        {
            _compute.MatMul(_dPair.B, dy, z, MatMulLayout.TN, pair.Slot.Scale, accumulate: true);
            _compute.MatMul(_dPair.A, dz, Drop(dropped, x, draw), MatMulLayout.TN, accumulate: true);
        }

        if (dx.IsNone)
        {
            return;
        }

        if (draw.Probability == 0)
        {
            _compute.MatMul(dx, dz, pair.A, MatMulLayout.NN, accumulate: true);
            return;
        }

        _compute.MatMul(dropped, dz, pair.A, MatMulLayout.NN);
        _compute.Dropout(dropped, dropped, draw.Probability, draw.Seed, draw.Stream + _number);
        _compute.AddScaled(dx, dropped, 1);
    }

    private Tensor Drop(Tensor dropped, Tensor x, in DropoutDraw draw)
    {
        if (draw.Probability == 0)
        {
            return x;
        }

        _compute.Dropout(dropped, x, draw.Probability, draw.Seed, draw.Stream + _number);
        return dropped;
    }
}
