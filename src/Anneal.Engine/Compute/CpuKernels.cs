using Anneal.Engine.Kernels;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Compute;

/// <summary>The verbs behind <see cref="CpuCompute"/>, arguments checked, before a vector width is chosen.</summary>
internal abstract class CpuKernels
{
    public static CpuKernels Create(InstructionSet set, WorkerPool pool) => set switch
    {
        InstructionSet.Vector512 => new CpuKernels<Simd512, System.Runtime.Intrinsics.Vector512<float>>(pool),
        InstructionSet.Vector256 => new CpuKernels<Simd256, System.Runtime.Intrinsics.Vector256<float>>(pool),
        InstructionSet.Vector128 => new CpuKernels<Simd128, System.Runtime.Intrinsics.Vector128<float>>(pool),
        InstructionSet.Scalar => new CpuKernels<SimdScalar, float>(pool),
        _ => throw new ArgumentOutOfRangeException(nameof(set), set, "Not an instruction set."),
    };

    public abstract void Widen(Span<float> destination, Tensor row);

    public abstract void Copy(Tensor destination, Tensor source);

    public abstract void Fill(Tensor destination, float value);

    public abstract void AddScaled(Tensor y, Tensor x, float alpha);

    public abstract void Scale(Tensor y, float factor);

    public abstract void AddBias(Tensor y, Tensor bias);

    public abstract void BiasGradient(Tensor dBias, Tensor dy);

    public abstract void MatMul(in Product product);

    public abstract void Gather(Tensor y, Tensor x, ReadOnlySpan<int> rows, float scale);

    public abstract void ScatterAdd(Tensor y, Tensor x, ReadOnlySpan<int> rows, float scale);

    public abstract void RmsNormForward(Tensor y, Tensor rstd, Tensor x, Tensor weight, float epsilon);

    public abstract void RmsNormBackward(
        Tensor dx, Tensor dWeight, Tensor dy, Tensor x, Tensor rstd, Tensor weight, bool accumulate);

    public abstract void Rope(Tensor x, Tensor cos, Tensor sin, int headSize, bool inverse);

    public abstract void AttentionForward(
        Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, ReadOnlySpan<int> segments, in AttentionShape shape);

    public abstract void AttentionBackward(
        in AttentionGradients tensors, ReadOnlySpan<int> segments, in AttentionShape shape);

    public abstract void AttentionDecode(
        Tensor o, Tensor q, ReadOnlySpan<Tensor> keys, ReadOnlySpan<Tensor> values, ReadOnlySpan<int> lengths,
        in AttentionShape shape);

    public abstract void GatedMlpForward(Tensor y, Tensor gate, Tensor up, Activation activation);

    public abstract void GatedMlpBackward(
        Tensor dGate, Tensor dUp, Tensor dy, Tensor gate, Tensor up, Activation activation);

    public abstract void TokenLoss(
        Span<float> logProbabilities, Span<int> predicted, Tensor dx, Tensor dHead, Tensor x, Tensor head,
        ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients, bool backward);

    public abstract double SumOfSquares(Tensor gradient);

    public abstract void AdamW(
        Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step);
}

/// <summary>The verbs in one vector width.</summary>
internal sealed unsafe class CpuKernels<TSimd, TVec>(WorkerPool pool) : CpuKernels
    where TSimd : struct, ISimd<TVec>
    where TVec : struct
{
    public override void Widen(Span<float> destination, Tensor row)
    {
        fixed (float* target = destination)
        {
            Arithmetic.Widen<TSimd, TVec>((void*)row.Address, row.Type, row.Columns, target);
        }
    }

    public override void Copy(Tensor destination, Tensor source) => Arithmetic.Copy<TSimd, TVec>(pool, destination, source);

    public override void Fill(Tensor destination, float value)
    {
        if (destination.Type == DType.F32)
        {
            ElementWise.Apply<TSimd, TVec, FillOperation>(pool, new Factors(value), destination);
        }
        else
        {
            Arithmetic.FillNarrow(destination, value);
        }
    }

    public override void AddScaled(Tensor y, Tensor x, float alpha) =>
        ElementWise.Apply<TSimd, TVec, AddScaledOperation>(pool, new Factors(alpha), y, x);

    public override void Scale(Tensor y, float factor) =>
        ElementWise.Apply<TSimd, TVec, ScaleOperation>(pool, new Factors(factor), y);

    public override void AddBias(Tensor y, Tensor bias)
    {
        if (bias.Type != DType.F32)
        {
            Tensor widened = new((nint)pool.Shared(0, bias.Length * sizeof(float)), 1, bias.Columns, DType.F32);
            Arithmetic.Widen<TSimd, TVec>((void*)bias.Address, bias.Type, bias.Columns, (float*)widened.Address);
            bias = widened;
        }

        ElementWise.Apply<TSimd, TVec, AddScaledOperation>(pool, new Factors(1), y, bias);
    }

    public override void BiasGradient(Tensor dBias, Tensor dy) => Arithmetic.BiasGradient<TSimd, TVec>(pool, dBias, dy);

    public override void MatMul(in Product product) => Gemm.Multiply<TSimd, TVec>(pool, product);

    public override void Gather(Tensor y, Tensor x, ReadOnlySpan<int> rows, float scale) =>
        Rows.Gather<TSimd, TVec>(pool, y, x, rows, scale);

    public override void ScatterAdd(Tensor y, Tensor x, ReadOnlySpan<int> rows, float scale) =>
        Rows.ScatterAdd<TSimd, TVec>(pool, y, x, rows, scale);

    public override void RmsNormForward(Tensor y, Tensor rstd, Tensor x, Tensor weight, float epsilon) =>
        RmsNorm.Forward<TSimd, TVec>(pool, y, rstd, x, weight, epsilon);

    public override void RmsNormBackward(
        Tensor dx, Tensor dWeight, Tensor dy, Tensor x, Tensor rstd, Tensor weight, bool accumulate) =>
        RmsNorm.Backward<TSimd, TVec>(pool, dx, dWeight, dy, x, rstd, weight, accumulate);

    public override void Rope(Tensor x, Tensor cos, Tensor sin, int headSize, bool inverse) =>
        Anneal.Engine.Kernels.Rope.Apply<TSimd, TVec>(pool, x, cos, sin, headSize, inverse);

    public override void AttentionForward(
        Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, ReadOnlySpan<int> segments, in AttentionShape shape) =>
        Anneal.Engine.Kernels.AttentionForward.Run<TSimd, TVec>(pool, o, logSumExp, q, k, v, segments, shape);

    public override void AttentionBackward(
        in AttentionGradients tensors, ReadOnlySpan<int> segments, in AttentionShape shape) =>
        Anneal.Engine.Kernels.AttentionBackward.Run<TSimd, TVec>(pool, tensors, segments, shape);

    public override void AttentionDecode(
        Tensor o, Tensor q, ReadOnlySpan<Tensor> keys, ReadOnlySpan<Tensor> values, ReadOnlySpan<int> lengths,
        in AttentionShape shape) =>
        Anneal.Engine.Kernels.AttentionDecode.Run<TSimd, TVec>(pool, o, q, keys, values, lengths, shape);

    public override void GatedMlpForward(Tensor y, Tensor gate, Tensor up, Activation activation) =>
        GatedMlp.Forward<TSimd, TVec>(pool, y, gate, up, activation);

    public override void GatedMlpBackward(
        Tensor dGate, Tensor dUp, Tensor dy, Tensor gate, Tensor up, Activation activation) =>
        GatedMlp.Backward<TSimd, TVec>(pool, dGate, dUp, dy, gate, up, activation);

    public override void TokenLoss(
        Span<float> logProbabilities, Span<int> predicted, Tensor dx, Tensor dHead, Tensor x, Tensor head,
        ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients, bool backward) =>
        Anneal.Engine.Kernels.TokenLoss.Run<TSimd, TVec>(
            pool, logProbabilities, predicted, dx, dHead, x, head, targets, coefficients, backward);

    public override double SumOfSquares(Tensor gradient) => Arithmetic.SumOfSquares<TSimd, TVec>(pool, gradient);

    public override void AdamW(
        Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step) =>
        ElementWise.Apply<TSimd, TVec, AdamWOperation>(
            pool, AdamWOperation.Prepare(step), parameter, gradient, firstMoment, secondMoment);
}
