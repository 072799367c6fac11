using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// The head and the objective. A block of rows times the whole vocabulary exists at a time: so many rows that packing the head
/// is repaid (2 · rows operations for each of its elements), so few that the block stays near 64 MB.
/// </summary>
/// <remarks>
/// Three products of 2 · rows · vocabulary · hidden operations each; the pass between them reads the block twice and writes it
/// once, a row at a time, so that the second reading comes from a cache: about 2 % of the products' time.
/// </remarks>
internal static unsafe class TokenLoss
{
    private const long LogitBytes = 64 << 20;
    private const int RowsLeast = 96;
    private const int RowsMost = 1024;

    /// <summary>Elements whose exponentials are added in single precision before double takes over.</summary>
    private const int SumBlock = 1024;

    /// <summary>Where the logits lie: slots 0 and 1 of the pool's shared buffers belong to the products.</summary>
    private const int LogitSlot = 2;

    /// <summary>
    /// Log-probabilities and predictions; with <paramref name="coefficients"/> also the gradients. Arguments as in
    /// <see cref="ICompute.TokenLoss"/>; dx and dHead are <see cref="Tensor.None"/> without them.
    /// </summary>
    public static void Run<TSimd, TVec>(
        WorkerPool pool, Span<float> logProbabilities, Span<int> predicted, Tensor dx, Tensor dHead, Tensor x, Tensor head,
        ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients, bool backward)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int vocabulary = head.Rows;

        // One vector more than needed keeps rows off a common stride, which would make them fight for cache sets.
        int stride = ((vocabulary + 15) / 16 * 16) + 16;
        int rows = (int)Math.Clamp(LogitBytes / (stride * sizeof(float)), RowsLeast, RowsMost);
        rows = Math.Min(x.Rows, rows / 12 * 12);
        fixed (float* logp = logProbabilities)
        fixed (int* best = predicted)
        fixed (int* wanted = targets)
        fixed (float* coefficient = coefficients)
        {
            for (int start = 0; start < x.Rows; start += rows)
            {
                int count = Math.Min(rows, x.Rows - start);
                nint memory = (nint)pool.Shared(LogitSlot, (long)rows * stride * sizeof(float));
                Work work = new()
                {
                    Logits = new Tensor(memory, count, vocabulary, DType.F32, stride),
                    LogProbabilities = logp + start,
                    Predicted = best + start,
                    Targets = wanted + start,
                    Coefficients = backward ? coefficient + start : null,
                };
                Tensor block = x.SliceRows(start, count);
                Gemm.Multiply<TSimd, TVec>(pool, Product.From(work.Logits, block, head, MatMulLayout.NT, 1, false));
                pool.Run(&RowTask<TSimd, TVec>, &work, count);
                if (backward)
                {
                    Tensor slice = dx.SliceRows(start, count);
                    Gemm.Multiply<TSimd, TVec>(pool, Product.From(slice, work.Logits, head, MatMulLayout.NN, 1, false));
                    if (!dHead.IsNone)
                    {
                        Gemm.Multiply<TSimd, TVec>(pool, Product.From(dHead, work.Logits, block, MatMulLayout.TN, 1, true));
                    }
                }
            }
        }
    }

    private static void RowTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int count = work->Logits.Columns;
        float* row = (float*)work->Logits.Address + ((nint)task * work->Logits.Stride);
        float largest = Largest<TSimd, TVec>(row, count);
        int target = work->Targets[task];
        float wanted = row[target];
        // Not-a-number is never the largest; a row of nothing else predicts the first id and a log-probability of NaN.
        work->Predicted[task] = Math.Max(0, new ReadOnlySpan<float>(row, count).IndexOf(largest));
        bool backward = work->Coefficients != null;
        double total = 0;
        for (int start = 0; start < count; start += SumBlock)
        {
            int length = Math.Min(SumBlock, count - start);
            total += Exponentials<TSimd, TVec>(row + start, length, largest, backward);
        }

        work->LogProbabilities[task] = (float)(wanted - (double)largest - Math.Log(total));
        if (backward)
        {
            float coefficient = work->Coefficients[task];
            float share = (float)(-coefficient / total);
            Scale<TSimd, TVec>(row, count, share);
            row[target] += coefficient;
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static float Largest<TSimd, TVec>(float* row, int count)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec even = TSimd.Broadcast(float.NegativeInfinity);
        TVec odd = even;
        int c = 0;
        for (; c <= count - (2 * TSimd.Width); c += 2 * TSimd.Width)
        {
            even = TSimd.Max(TSimd.Load(row + c), even);
            odd = TSimd.Max(TSimd.Load(row + c + TSimd.Width), odd);
        }

        float largest = TSimd.Largest(TSimd.Max(even, odd));
        for (; c < count; c++)
        {
            largest = row[c] > largest ? row[c] : largest;
        }

        return largest;
    }

    /// <summary>Σ e^(row − largest); the terms replace the logits where the gradient will need them.</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static float Exponentials<TSimd, TVec>(float* row, int count, float largest, bool keep)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec top = TSimd.Broadcast(largest);
        TVec sum = TSimd.Zero;
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            TVec e = VectorMath.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(row + c), top));
            sum = TSimd.Add(sum, e);
            if (keep)
            {
                TSimd.Store(e, row + c);
            }
        }

        float total = TSimd.Sum(sum);
        for (; c < count; c++)
        {
            float e = VectorMath.Exp<SimdScalar, float>(row[c] - largest);
            total += e;
            row[c] = keep ? e : row[c];
        }

        return total;
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Scale<TSimd, TVec>(float* row, int count, float factor)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            TSimd.Store(TSimd.Multiply(TSimd.Load(row + c), TSimd.Broadcast(factor)), row + c);
        }

        for (; c < count; c++)
        {
            row[c] *= factor;
        }
    }

    private struct Work
    {
        public Tensor Logits;
        public float* LogProbabilities;
        public int* Predicted;
        public int* Targets;
        public float* Coefficients;
    }
}
