using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// Attention of one new token a sequence against its cache. A task takes a chunk of the cache and the query heads that share it;
/// a second pass joins the chunks' soft-maxes, so that one long sequence still uses every thread.
/// </summary>
/// <remarks>Chunks are of fixed length: a sequence's numbers depend neither on threads nor on the sequences beside it.</remarks>
internal static unsafe class AttentionDecode
{
    private const int Chunk = 256;

    public static void Run<TSimd, TVec>(
        WorkerPool pool, Tensor o, Tensor q, ReadOnlySpan<Tensor> keys, ReadOnlySpan<Tensor> values,
        ReadOnlySpan<int> lengths, in AttentionShape shape)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int longest = 0;
        foreach (int length in lengths)
        {
            longest = Math.Max(longest, length);
        }

        Work work = new()
        {
            Shape = shape, O = o, Q = q, Group = shape.Heads / shape.KeyValueHeads, Chunks = Gemm.Divide(longest, Chunk),
        };
        fixed (Tensor* k = keys)
        fixed (Tensor* v = values)
        fixed (int* n = lengths)
        {
            (work.Keys, work.Values, work.Lengths) = ((nint)k, (nint)v, (nint)n);
            long partials = (long)q.Rows * shape.Heads * work.Chunks * (shape.HeadSize + 2);
            work.Partials = (float*)pool.Shared(0, partials * sizeof(float));
            work.Scores = pool.Private(1, Chunk, out work.ScoresStride);
            pool.Run(&ChunkTask<TSimd, TVec>, &work, q.Rows * shape.KeyValueHeads * work.Chunks);
            pool.Run(&JoinTask<TSimd, TVec>, &work, q.Rows * shape.Heads);
        }
    }

    private static void ChunkTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int chunk = task % work->Chunks;
        int keyHead = task / work->Chunks % work->Shape.KeyValueHeads;
        int row = task / work->Chunks / work->Shape.KeyValueHeads;
        (int first, int end) = work->Range(row, chunk);
        if (first >= end)
        {
            return;
        }

        int size = work->Shape.HeadSize;
        Tensor keys = ((Tensor*)work->Keys)[row];
        Tensor values = ((Tensor*)work->Values)[row];
        float* k = (float*)keys.Address + ((nint)first * keys.Stride) + (keyHead * size);
        float* v = (float*)values.Address + ((nint)first * values.Stride) + (keyHead * size);
        float* scores = work->Scores + (worker * work->ScoresStride);
        int count = end - first;
        for (int head = keyHead * work->Group; head < (keyHead + 1) * work->Group; head++)
        {
            float* q = (float*)work->Q.Address + ((nint)row * work->Q.Stride) + (head * size);
            float* partial = work->Partial(row, head, chunk);
            Scores<TSimd, TVec>(scores, q, k, keys.Stride, count, size, work->Shape.Scale);
            if (work->Shape.SoftCap > 0)
            {
                AttentionForward.Cap<TSimd, TVec>(scores, count, work->Shape.SoftCap);
            }

            float top = AttentionForward.Largest<TSimd, TVec>(scores, count);
            partial[size] = top;
            partial[size + 1] = AttentionForward.Exponentials<TSimd, TVec>(scores, count, top);
            Weighted<TSimd, TVec>(partial, scores, v, values.Stride, count, size);
        }
    }

    private static void Scores<TSimd, TVec>(float* scores, float* q, float* k, nint stride, int count, int size, float scale)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        for (nint u = 0; u < count; u++)
        {
            scores[u] = AttentionBackward.Dot<TSimd, TVec>(q, k + (u * stride), size) * scale;
        }
    }

    /// <summary>sum = Σ_u weights[u] · v[u, :].</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static void Weighted<TSimd, TVec>(float* sum, float* weights, float* v, nint stride, int count, int size)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int d = 0;
        for (; d <= size - (2 * TSimd.Width); d += 2 * TSimd.Width)
        {
            TVec low = TSimd.Zero, high = TSimd.Zero;
            float* at = v + d;
            for (nint u = 0; u < count; u++, at += stride)
            {
                TVec weight = TSimd.Broadcast(weights[u]);
                low = TSimd.MultiplyAdd(weight, TSimd.Load(at), low);
                high = TSimd.MultiplyAdd(weight, TSimd.Load(at + TSimd.Width), high);
            }

            TSimd.Store(low, sum + d);
            TSimd.Store(high, sum + d + TSimd.Width);
        }

        for (; d < size; d++)
        {
            float total = 0;
            for (nint u = 0; u < count; u++)
            {
                total += weights[u] * v[(u * stride) + d];
            }

            sum[d] = total;
        }
    }

    /// <summary>Joins the chunks of one head, in order.</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static void JoinTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int size = work->Shape.HeadSize;
        int head = task % work->Shape.Heads;
        int row = task / work->Shape.Heads;
        float top = float.NegativeInfinity;
        for (int chunk = 0; chunk < work->Chunks; chunk++)
        {
            (int first, int end) = work->Range(row, chunk);
            top = first < end ? Math.Max(top, work->Partial(row, head, chunk)[size]) : top;
        }

        float* o = (float*)work->O.Address + ((nint)row * work->O.Stride) + (head * size);
        new Span<float>(o, size).Clear();
        float total = 0;
        for (int chunk = 0; chunk < work->Chunks; chunk++)
        {
            (int first, int end) = work->Range(row, chunk);
            if (first < end)
            {
                float* partial = work->Partial(row, head, chunk);
                float factor = VectorMath.Exp<SimdScalar, float>(partial[size] - top);
                total += partial[size + 1] * factor;
                for (int d = 0; d < size; d++)
                {
                    o[d] += partial[d] * factor;
                }
            }
        }

        for (int d = 0; d < size; d++)
        {
            o[d] /= total;
        }
    }

    private struct Work
    {
        public AttentionShape Shape;
        public Tensor O;
        public Tensor Q;
        public nint Keys;
        public nint Values;
        public nint Lengths;
        public int Group;
        public int Chunks;
        public float* Partials;
        public float* Scores;
        public nint ScoresStride;

        /// <summary>Keys of a chunk that the newest token sees.</summary>
        public readonly (int First, int End) Range(int row, int chunk)
        {
            int length = ((int*)Lengths)[row];
            int visible = Shape.Window == 0 ? 0 : Math.Max(0, length - Shape.Window);
            return (Math.Max(visible, chunk * Chunk), Math.Min(length, (chunk + 1) * Chunk));
        }

        /// <summary>A chunk's weighted sum of values, its largest score and the sum of its exponentials.</summary>
        public readonly float* Partial(int row, int head, int chunk) =>
            Partials + (((((nint)row * Shape.Heads) + head) * Chunks) + chunk) * (Shape.HeadSize + 2);
    }
}
