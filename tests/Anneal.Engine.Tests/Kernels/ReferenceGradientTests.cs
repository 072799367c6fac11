using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Reference;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

/// <summary>The reference loops' backward passes against central differences of their forward passes.</summary>
public sealed class ReferenceGradientTests
{
    // A central difference of F32 outputs at step h is wrong by about ulp(|y|)/h + h²·|y'''|/6 a term; with h = 2⁻⁷, numbers
    // around 1 and sums of some tens of terms, that is below 2e-3 of the largest slope.
    private const float Step = 1f / 128;
    private const double Tolerance = 2e-3;

    private readonly ReferenceCompute _compute = new();

    [Theory]
    [InlineData(MatMulLayout.NT)]
    [InlineData(MatMulLayout.NN)]
    public void Products_of_the_other_layouts_are_the_gradients_of_a_product(MatMulLayout layout)
    {
        using GuardedTensor x = GuardedTensor.Random(3, 5, 1);
        using GuardedTensor w = layout == MatMulLayout.NT ? GuardedTensor.Random(4, 5, 2) : GuardedTensor.Random(5, 4, 2);
        using GuardedTensor y = new(3, 4);
        using GuardedTensor dy = GuardedTensor.Random(3, 4, 3);
        using GuardedTensor dx = new(3, 5);
        using GuardedTensor dw = new(w.Tensor.Rows, w.Tensor.Columns);
        void Forward() => _compute.MatMul(y.Tensor, x.Tensor, w.Tensor, layout, 0.5f);
        if (layout == MatMulLayout.NT)
        {
            _compute.MatMul(dx.Tensor, dy.Tensor, w.Tensor, MatMulLayout.NN, 0.5f);
            _compute.MatMul(dw.Tensor, dy.Tensor, x.Tensor, MatMulLayout.TN, 0.5f);
        }
        else
        {
            _compute.MatMul(dx.Tensor, dy.Tensor, w.Tensor, MatMulLayout.NT, 0.5f);
            _compute.MatMul(dw.Tensor, x.Tensor, dy.Tensor, MatMulLayout.TN, 0.5f);
        }

        AssertSlopes(x, dx, y, dy, Forward);
        AssertSlopes(w, dw, y, dy, Forward);
    }

    [Fact]
    public void Rms_norm()
    {
        using GuardedTensor x = GuardedTensor.Random(3, 7, 1);
        using GuardedTensor w = GuardedTensor.Random(1, 7, 2);
        using GuardedTensor y = new(3, 7);
        using GuardedTensor rstd = new(3, 1);
        using GuardedTensor dy = GuardedTensor.Random(3, 7, 3);
        using GuardedTensor dx = new(3, 7);
        using GuardedTensor dw = GuardedTensor.Random(1, 7, 4, 0);
        void Forward() => _compute.RmsNormForward(y.Tensor, rstd.Tensor, x.Tensor, w.Tensor, 1e-5f);
        Forward();
        _compute.RmsNormBackward(dx.Tensor, dw.Tensor, dy.Tensor, x.Tensor, rstd.Tensor, w.Tensor, accumulate: false);
        AssertSlopes(x, dx, y, dy, Forward);
        AssertSlopes(w, dw, y, dy, Forward);
    }

    [Fact]
    public void Rope_backwards_is_the_transposed_map()
    {
        using GuardedTensor x = GuardedTensor.Random(3, 12, 1);
        using GuardedTensor start = x.Clone();
        using GuardedTensor cos = GuardedTensor.Random(3, 2, 2);
        using GuardedTensor sin = GuardedTensor.Random(3, 2, 3);
        using GuardedTensor dy = GuardedTensor.Random(3, 12, 4);
        using GuardedTensor dx = dy.Clone();
        using GuardedTensor y = new(3, 12);
        void Forward()
        {
            _compute.Copy(y.Tensor, x.Tensor);
            _compute.Rope(y.Tensor, cos.Tensor, sin.Tensor, 6, inverse: false);
        }

        _compute.Rope(dx.Tensor, cos.Tensor, sin.Tensor, 6, inverse: true);
        AssertSlopes(x, dx, y, dy, Forward);
    }

    [Theory]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.GeluTanh)]
    public void Gated_mlp(Activation activation)
    {
        using GuardedTensor gate = GuardedTensor.Random(3, 9, 1, 3);
        using GuardedTensor up = GuardedTensor.Random(3, 9, 2);
        using GuardedTensor y = new(3, 9);
        using GuardedTensor dy = GuardedTensor.Random(3, 9, 3);
        using GuardedTensor dGate = gate.Clone();
        using GuardedTensor dUp = up.Clone();
        void Forward() => _compute.GatedMlpForward(y.Tensor, gate.Tensor, up.Tensor, activation);
        _compute.GatedMlpBackward(dGate.Tensor, dUp.Tensor, dy.Tensor, dGate.Tensor, dUp.Tensor, activation);
        AssertSlopes(gate, dGate, y, dy, Forward);
        AssertSlopes(up, dUp, y, dy, Forward);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 0)]
    [InlineData(0, 1.5f)]
    [InlineData(3, 0.7f)]
    public void Attention(int window, float softCap)
    {
        AttentionShape shape = new(4, 2, 3, 0.6f, window, softCap);
        int[] segments = [0, 4, 5, 10];
        using GuardedTensor q = GuardedTensor.Random(10, 12, 1, 2);
        using GuardedTensor k = GuardedTensor.Random(10, 6, 2, 2);
        using GuardedTensor v = GuardedTensor.Random(10, 6, 3, 2);
        using GuardedTensor o = new(10, 12);
        using GuardedTensor lse = new(4, 10);
        using GuardedTensor dO = GuardedTensor.Random(10, 12, 4);
        using GuardedTensor dq = new(10, 12);
        using GuardedTensor dk = new(10, 6);
        using GuardedTensor dv = new(10, 6);
        void Forward() => _compute.AttentionForward(o.Tensor, lse.Tensor, q.Tensor, k.Tensor, v.Tensor, segments, shape);
        Forward();
        _compute.AttentionBackward(
            dq.Tensor, dk.Tensor, dv.Tensor, dO.Tensor, o.Tensor, lse.Tensor, q.Tensor, k.Tensor, v.Tensor, segments, shape);
        AssertSlopes(q, dq, o, dO, Forward);
        AssertSlopes(k, dk, o, dO, Forward);
        AssertSlopes(v, dv, o, dO, Forward);
    }

    [Fact]
    public void Token_loss_is_the_gradient_of_the_weighted_log_probabilities()
    {
        int[] targets = [3, 0, 6];
        float[] coefficients = [-0.5f, 0.25f, -1];
        using GuardedTensor x = GuardedTensor.Random(3, 5, 1);
        using GuardedTensor head = GuardedTensor.Random(7, 5, 2);
        using GuardedTensor dx = new(3, 5);
        using GuardedTensor dHead = GuardedTensor.Random(7, 5, 3, 0);
        using GuardedTensor logProbabilities = new(1, 3);
        using GuardedTensor weights = new(1, 3);
        _compute.Upload(weights.Tensor, coefficients);
        int[] predicted = new int[3];
        void Forward() => _compute.TokenLogProbabilities(
            logProbabilities.Tensor.AsSpan<float>(), predicted, x.Tensor, head.Tensor, targets);
        float[] fused = new float[3];
        _compute.TokenLoss(fused, predicted, dx.Tensor, dHead.Tensor, x.Tensor, head.Tensor, targets, coefficients);
        Forward();
        Assert.Equal(logProbabilities.ToArray(), fused);
        AssertSlopes(x, dx, logProbabilities, weights, Forward);
        AssertSlopes(head, dHead, logProbabilities, weights, Forward);
    }

    [Fact]
    public void Embedding()
    {
        int[] ids = [2, 0, 2, 1];
        using GuardedTensor table = GuardedTensor.Random(3, 5, 1);
        using GuardedTensor y = new(4, 5);
        using GuardedTensor dy = GuardedTensor.Random(4, 5, 2);
        using GuardedTensor dTable = GuardedTensor.Random(3, 5, 3, 0);
        _compute.EmbeddingBackward(dTable.Tensor, dy.Tensor, ids, 1.5f);
        AssertSlopes(table, dTable, y, dy, () => _compute.EmbeddingForward(y.Tensor, table.Tensor, ids, 1.5f));
    }

    [Fact]
    public void Bias_gather_and_dropout()
    {
        int[] rows = [2, 0];
        using GuardedTensor x = GuardedTensor.Random(3, 8, 1);
        using GuardedTensor bias = GuardedTensor.Random(1, 8, 2);
        using GuardedTensor y = new(2, 8);
        using GuardedTensor dy = GuardedTensor.Random(2, 8, 3);
        using GuardedTensor dropped = dy.Clone();
        using GuardedTensor dx = GuardedTensor.Random(3, 8, 4, 0);
        using GuardedTensor dBias = GuardedTensor.Random(1, 8, 5, 0);
        void Forward()
        {
            _compute.GatherRows(y.Tensor, x.Tensor, rows);
            _compute.AddBias(y.Tensor, bias.Tensor);
            _compute.Dropout(y.Tensor, y.Tensor, 0.4f, 9, 2);
        }

        _compute.Dropout(dropped.Tensor, dropped.Tensor, 0.4f, 9, 2);
        _compute.BiasGradient(dBias.Tensor, dropped.Tensor);
        _compute.ScatterAddRows(dx.Tensor, dropped.Tensor, rows);
        AssertSlopes(x, dx, y, dy, Forward);
        AssertSlopes(bias, dBias, y, dy, Forward);
    }

    /// <summary>For every element of <paramref name="x"/>: d Σ y·dy / dx, by differences, against dx.</summary>
    private static void AssertSlopes(GuardedTensor x, GuardedTensor dx, GuardedTensor y, GuardedTensor dy, Action forward)
    {
        for (int r = 0; r < x.Tensor.Rows; r++)
        {
            for (int c = 0; c < x.Tensor.Columns; c++)
            {
                float kept = x[r, c];
                x[r, c] = kept + Step;
                forward();
                double above = Objective(y, dy);
                x[r, c] = kept - Step;
                forward();
                double slope = (above - Objective(y, dy)) / (2 * Step);
                x[r, c] = kept;
                Assert.True(
                    Math.Abs(slope - dx[r, c]) <= Tolerance * Math.Max(1, Math.Abs(slope)),
                    $"[{r}, {c}]: differences give {slope}, the backward pass {dx[r, c]}");
            }
        }

        forward();
        dx.AssertBordersIntact();
    }

    private static double Objective(GuardedTensor y, GuardedTensor dy)
    {
        double sum = 0;
        for (int r = 0; r < y.Tensor.Rows; r++)
        {
            for (int c = 0; c < y.Tensor.Columns; c++)
            {
                sum += (double)y[r, c] * dy[r, c];
            }
        }

        return sum;
    }
}
