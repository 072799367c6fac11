using System.Globalization;
using Anneal.Engine.Kernels;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Compute;

/// <summary>
/// The processor as a device: vector kernels in the widest instruction set there is (or the one that
/// <see cref="ComputeOptions.InstructionSet"/> or <c>ANNEAL_SIMD</c> forces), shared by a pool of threads.
/// </summary>
/// <remarks>
/// One verb at a time; a second thread that calls meanwhile gets an <see cref="InvalidOperationException"/>. Results do not
/// depend on the number of threads. They do depend on the instruction set, whose widths add in different orders.
/// </remarks>
public sealed class CpuCompute : ICompute
{
    private readonly WorkerPool _pool;
    private readonly CpuKernels _kernels;

    /// <summary>Starts the threads.</summary>
    /// <exception cref="ArgumentException"><c>ANNEAL_SIMD</c> holds an unknown word, or an option makes no sense.</exception>
    public CpuCompute(ComputeOptions? options = null)
    {
        options ??= new ComputeOptions();
        InstructionSet = options.InstructionSet ?? InstructionSets.Forced() ?? InstructionSets.Best;
        _pool = new WorkerPool(options.Threads == 0 ? Environment.ProcessorCount : options.Threads);
        _kernels = CpuKernels.Create(InstructionSet, _pool);
        Description = string.Create(
            CultureInfo.InvariantCulture, $"CPU, {InstructionSet}, {Threads} thread{(Threads == 1 ? string.Empty : "s")}");
    }

    /// <summary>The width of the kernels in use.</summary>
    public InstructionSet InstructionSet { get; }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public int Threads => _pool.Threads;

    /// <summary>Bytes of the kernels' own buffers so far: packed operands, and a block of logits.</summary>
    public long ScratchBytes => _pool.ScratchBytes;

    /// <inheritdoc/>
    public Arena CreateArena(long bytes) => new(bytes);

    /// <inheritdoc/>
    public unsafe void Upload(Tensor destination, ReadOnlySpan<float> source)
    {
        Shapes.F32("Upload", destination);
        Shapes.Count("Upload", "numbers", source.Length, checked((int)destination.Length));
        for (int r = 0; r < destination.Rows; r++)
        {
            // Safety: row r of a tensor has Columns elements, and the count was checked.
            Span<float> row = new((float*)destination.SliceRows(r, 1).Address, destination.Columns);
            source.Slice(r * destination.Columns, destination.Columns).CopyTo(row);
        }
    }

    /// <inheritdoc/>
    public void Download(Span<float> destination, Tensor source)
    {
        Shapes.Float("Download", source);
        Shapes.Count("Download", "numbers", destination.Length, checked((int)source.Length));
        for (int r = 0; r < source.Rows; r++)
        {
            _kernels.Widen(destination.Slice(r * source.Columns, source.Columns), source.SliceRows(r, 1));
        }
    }

    /// <inheritdoc/>
    public void Copy(Tensor destination, Tensor source)
    {
        Shapes.Same("Copy", destination, source);
        _kernels.Copy(destination, source);
    }

    /// <inheritdoc/>
    public void Fill(Tensor destination, float value)
    {
        Shapes.Float("Fill", destination);
        _kernels.Fill(destination, value);
    }

    /// <inheritdoc/>
    public void AddScaled(Tensor y, Tensor x, float alpha)
    {
        Shapes.SameF32("AddScaled", y, x);
        _kernels.AddScaled(y, x, alpha);
    }

    /// <inheritdoc/>
    public void Scale(Tensor y, float factor)
    {
        Shapes.F32("Scale", y);
        _kernels.Scale(y, factor);
    }

    /// <inheritdoc/>
    public void AddBias(Tensor y, Tensor bias)
    {
        Shapes.RowVector("AddBias", y, bias);
        _kernels.AddBias(y, bias);
    }

    /// <inheritdoc/>
    public void BiasGradient(Tensor dBias, Tensor dy)
    {
        Shapes.F32("BiasGradient", dBias);
        Shapes.RowVector("BiasGradient", dy, dBias);
        _kernels.BiasGradient(dBias, dy);
    }

    /// <inheritdoc/>
    public void Dropout(Tensor y, Tensor x, float probability, ulong seed, ulong stream)
    {
        Shapes.Dropout(y, x, probability);
        Kernels.Dropout.Apply(_pool, y, x, probability, seed, stream, InstructionSet >= InstructionSet.Vector256);
    }

    /// <inheritdoc/>
    public void GatherRows(Tensor y, Tensor x, ReadOnlySpan<int> rows)
    {
        Shapes.Gather(y, x, rows);
        _kernels.Gather(y, x, rows, 1);
    }

    /// <inheritdoc/>
    public void ScatterAddRows(Tensor y, Tensor x, ReadOnlySpan<int> rows)
    {
        Shapes.Scatter(y, x, rows);
        _kernels.ScatterAdd(y, x, rows, 1);
    }

    /// <inheritdoc/>
    public void MatMul(Tensor y, Tensor x, Tensor w, MatMulLayout layout, float alpha = 1, bool accumulate = false)
    {
        Shapes.MatMul(y, x, w, layout);
        _kernels.MatMul(Product.From(y, x, w, layout, alpha, accumulate));
    }

    /// <inheritdoc/>
    public void EmbeddingForward(Tensor y, Tensor table, ReadOnlySpan<int> ids, float scale = 1)
    {
        Shapes.Embedding("EmbeddingForward", y, table, ids);
        _kernels.Gather(y, table, ids, scale);
    }

    /// <inheritdoc/>
    public void EmbeddingBackward(Tensor dTable, Tensor dy, ReadOnlySpan<int> ids, float scale = 1)
    {
        Shapes.F32("EmbeddingBackward", dTable);
        Shapes.Embedding("EmbeddingBackward", dy, dTable, ids);
        _kernels.ScatterAdd(dTable, dy, ids, scale);
    }

    /// <inheritdoc/>
    public void RmsNormForward(Tensor y, Tensor rstd, Tensor x, Tensor weight, float epsilon)
    {
        Shapes.RmsNorm("RmsNormForward", y, rstd, x, weight);
        _kernels.RmsNormForward(y, rstd, x, weight, epsilon);
    }

    /// <inheritdoc/>
    public void RmsNormBackward(
        Tensor dx, Tensor dWeight, Tensor dy, Tensor x, Tensor rstd, Tensor weight, bool accumulate)
    {
        Shapes.RmsNormBackward(dx, dWeight, dy, x, rstd, weight);
        _kernels.RmsNormBackward(dx, dWeight, dy, x, rstd, weight, accumulate);
    }

    /// <inheritdoc/>
    public void Rope(Tensor x, Tensor cos, Tensor sin, int headSize, bool inverse)
    {
        Shapes.Rope(x, cos, sin, headSize);
        _kernels.Rope(x, cos, sin, headSize, inverse);
    }

    /// <inheritdoc/>
    public void AttentionForward(
        Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, ReadOnlySpan<int> segments, in AttentionShape shape)
    {
        Shapes.Attention("AttentionForward", o, logSumExp, q, k, v, segments, shape);
        _kernels.AttentionForward(o, logSumExp, q, k, v, segments, shape);
    }

    /// <inheritdoc/>
    public void AttentionBackward(
        Tensor dq, Tensor dk, Tensor dv, Tensor dO, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v,
        ReadOnlySpan<int> segments, in AttentionShape shape)
    {
        Shapes.Attention("AttentionBackward", o, logSumExp, q, k, v, segments, shape);
        Shapes.Attention("AttentionBackward", dO, logSumExp, dq, dk, dv, segments, shape);
        _kernels.AttentionBackward(new AttentionGradients(dq, dk, dv, dO, o, logSumExp, q, k, v), segments, shape);
    }

    /// <inheritdoc/>
    public void AttentionDecode(
        Tensor o, Tensor q, ReadOnlySpan<Tensor> keys, ReadOnlySpan<Tensor> values, ReadOnlySpan<int> lengths,
        in AttentionShape shape)
    {
        Shapes.AttentionDecode(o, q, keys, values, lengths, shape);
        _kernels.AttentionDecode(o, q, keys, values, lengths, shape);
    }

    /// <inheritdoc/>
    public void GatedMlpForward(Tensor y, Tensor gate, Tensor up, Activation activation)
    {
        Shapes.GatedMlp("GatedMlpForward", y, gate, up, y);
        _kernels.GatedMlpForward(y, gate, up, activation);
    }

    /// <inheritdoc/>
    public void GatedMlpBackward(Tensor dGate, Tensor dUp, Tensor dy, Tensor gate, Tensor up, Activation activation)
    {
        Shapes.GatedMlp("GatedMlpBackward", dGate, dUp, gate, up);
        Shapes.SameF32("GatedMlpBackward", dy, gate);
        _kernels.GatedMlpBackward(dGate, dUp, dy, gate, up, activation);
    }

    /// <inheritdoc/>
    public void TokenLogProbabilities(
        Span<float> logProbabilities, Span<int> predicted, Tensor x, Tensor head, ReadOnlySpan<int> targets)
    {
        Shapes.TokenLogProbabilities(logProbabilities.Length, predicted.Length, x, head, targets);
        _kernels.TokenLoss(
            logProbabilities, predicted, Tensor.None, Tensor.None, x, head, targets, default, backward: false);
    }

    /// <inheritdoc/>
    public void TokenLoss(
        Span<float> logProbabilities, Span<int> predicted, Tensor dx, Tensor dHead, Tensor x, Tensor head,
        ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients)
    {
        Shapes.TokenLoss(
            logProbabilities.Length, predicted.Length, dx, dHead, x, head, targets, coefficients.Length);
        _kernels.TokenLoss(
            logProbabilities, predicted, dx, dHead, x, head, targets, coefficients, backward: true);
    }

    /// <inheritdoc/>
    public double SumOfSquares(Tensor gradient)
    {
        Shapes.F32("SumOfSquares", gradient);
        return _kernels.SumOfSquares(gradient);
    }

    /// <inheritdoc/>
    public void AdamW(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step)
    {
        Shapes.AdamW(parameter, gradient, firstMoment, secondMoment, step);
        _kernels.AdamW(parameter, gradient, firstMoment, secondMoment, step);
    }

    /// <inheritdoc/>
    public void Dispose() => _pool.Dispose();
}
