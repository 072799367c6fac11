using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// Attention with an online soft-max (Milakov and Gimelshein 2018; Dao et al. 2022): a task takes one head and a block of queries,
/// and goes over the keys in blocks, so that scores never leave the caches.
/// </summary>
/// <remarks>Keys and values are packed once for all tasks that read them; see <see cref="AttentionLayout"/>.</remarks>
internal static unsafe class AttentionForward
{
    private const int QueryBlock = AttentionLayout.QueryBlock;
    private const int KeyBlock = AttentionLayout.KeyBlock;

    public static void Run<TSimd, TVec>(
        WorkerPool pool, Tensor o, Tensor logSumExp, Tensor q, Tensor k, Tensor v, ReadOnlySpan<int> segments,
        in AttentionShape shape)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        fixed (int* pinned = segments)
        {
            AttentionLayout layout = AttentionLayout.Create<TSimd, TVec>(q, k, v, pinned, segments.Length, shape);
            Work work = new()
            {
                Layout = layout,
                Keys = (float*)pool.Shared(0, layout.PackedBytes),
                Values = (float*)pool.Shared(1, layout.PackedBytes),
                O = (float*)o.Address,
                ORow = o.Stride,
                LogSumExp = (float*)logSumExp.Address,
            };
            work.Scratch = pool.Private(2, QueryBlock * (KeyBlock + layout.PaddedHead + 2), out work.ScratchStride);
            pool.Run(&PackTask<TSimd, TVec>, &work, layout.SegmentCount * shape.KeyValueHeads);
            pool.Run(&QueryTask<TSimd, TVec>, &work, layout.QueryTasks());
        }
    }

    private static void PackTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        AttentionLayout* layout = &work->Layout;
        int segment = task / layout->Shape.KeyValueHeads;
        int head = task % layout->Shape.KeyValueHeads;
        layout->PackAcross<TSimd, TVec>(layout->K, layout->KRow, segment, head, work->Keys);
        layout->PackAlong<TSimd, TVec>(layout->V, layout->VRow, segment, head, work->Values);
    }

    private static void QueryTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        AttentionLayout* layout = &work->Layout;
        layout->FindQueryTask(task, out int segment, out int head, out int block);
        int start = layout->Segments[segment];
        int length = layout->Segments[segment + 1] - start;
        int size = layout->Shape.HeadSize;
        Block state = new() { Query = block * QueryBlock };
        state.Queries = Math.Min(QueryBlock, length - state.Query);
        state.Scores = work->Scratch + (worker * work->ScratchStride);
        state.Sums = state.Scores + (QueryBlock * KeyBlock);
        state.Tops = state.Sums + ((nint)QueryBlock * layout->PaddedHead);
        state.Totals = state.Tops + QueryBlock;
        new Span<float>(state.Sums, QueryBlock * layout->PaddedHead).Clear();
        new Span<float>(state.Tops, QueryBlock).Fill(float.NegativeInfinity);
        new Span<float>(state.Totals, QueryBlock).Clear();

        float* queries = layout->Q + ((start + state.Query) * layout->QRow) + (head * size);
        float* keys = layout->Packed(work->Keys, segment, head / layout->Group);
        float* values = layout->Packed(work->Values, segment, head / layout->Group);
        int end = state.Query + state.Queries;
        for (int key = layout->FirstKey(state.Query); key < end; key += KeyBlock)
        {
            int count = Math.Min(KeyBlock, end - key);
            layout->Scores<TSimd, TVec>(
                state.Scores, queries, layout->QRow, keys, state.Query, state.Queries, key, count, layout->Shape.Scale);
            SoftMax<TSimd, TVec>(layout, &state, key, count);
            AddValues<TSimd, TVec>(layout, &state, values, length, key, count);
        }

        float* o = work->O + ((start + state.Query) * work->ORow) + (head * size);
        float* logSumExp = work->LogSumExp + ((nint)head * layout->Tokens) + start + state.Query;
        for (int i = 0; i < state.Queries; i++)
        {
            float* sums = state.Sums + ((nint)i * layout->PaddedHead);
            float inverse = 1 / state.Totals[i];
            logSumExp[i] = state.Tops[i] + MathF.Log(state.Totals[i]);
            for (int d = 0; d < size; d++)
            {
                o[(i * work->ORow) + d] = sums[d] * inverse;
            }
        }
    }

    /// <summary>
    /// Turns a block of scores into e^(score − largest so far), masked ones into 0, and shrinks what was summed under a smaller
    /// largest.
    /// </summary>
    private static void SoftMax<TSimd, TVec>(AttentionLayout* layout, Block* state, int key, int keys)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int width = Gemm.Divide(keys, layout->Panel) * layout->Panel;
        for (int i = 0; i < state->Queries; i++)
        {
            float* row = state->Scores + (i * KeyBlock);
            int query = state->Query + i;
            int end = Math.Clamp(query + 1 - key, 0, keys);
            int first = layout->Shape.Window == 0 ? 0 : Math.Clamp(query - layout->Shape.Window + 1 - key, 0, end);
            new Span<float>(row, first).Clear();
            new Span<float>(row + end, width - end).Clear();
            if (first == end)
            {
                continue;
            }

            if (layout->Shape.SoftCap > 0)
            {
                Cap<TSimd, TVec>(row + first, end - first, layout->Shape.SoftCap);
            }

            float top = Math.Max(state->Tops[i], Largest<TSimd, TVec>(row + first, end - first));
            float sum = Exponentials<TSimd, TVec>(row + first, end - first, top);
            float shrink = VectorMath.Exp<SimdScalar, float>(state->Tops[i] - top);
            state->Totals[i] = (state->Totals[i] * shrink) + sum;
            state->Tops[i] = top;
            if (shrink != 1)
            {
                Scale<TSimd, TVec>(state->Sums + ((nint)i * layout->PaddedHead), layout->PaddedHead, shrink);
            }
        }
    }

    /// <summary>sums += weights · values, each tile of queries only as far as its last query sees.</summary>
    private static void AddValues<TSimd, TVec>(
        AttentionLayout* layout, Block* state, float* values, int length, int key, int keys)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int stride = layout->PaddedHead;
        for (int d = 0; d < stride; d += layout->Panel)
        {
            float* b = values + ((nint)d * length) + ((nint)key * layout->Panel);
            for (int i = 0; i < state->Queries; i += TSimd.TileRows)
            {
                int depth = Math.Min(keys, state->Query + i + TSimd.TileRows - key);
                if (depth > 0)
                {
                    Tile.Multiply<TSimd, TVec>(
                        depth, state->Scores + (i * KeyBlock), KeyBlock, 1, Math.Min(TSimd.TileRows, state->Queries - i), b,
                        state->Sums + ((nint)i * stride) + d, stride, 1, accumulate: true);
                }
            }
        }
    }

    /// <summary>cap · tanh(x / cap) in place.</summary>
    [MethodImpl(SimdOptions.Loop)]
    internal static void Cap<TSimd, TVec>(float* row, int count, float cap)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            TVec scaled = TSimd.Multiply(TSimd.Load(row + c), TSimd.Broadcast(1 / cap));
            TSimd.Store(TSimd.Multiply(VectorMath.Tanh<TSimd, TVec>(scaled), TSimd.Broadcast(cap)), row + c);
        }

        for (; c < count; c++)
        {
            row[c] = VectorMath.Tanh<SimdScalar, float>(row[c] * (1 / cap)) * cap;
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    internal static float Largest<TSimd, TVec>(float* row, int count)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec top = TSimd.Broadcast(float.NegativeInfinity);
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            top = TSimd.Max(top, TSimd.Load(row + c));
        }

        float largest = TSimd.Largest(top);
        for (; c < count; c++)
        {
            largest = Math.Max(largest, row[c]);
        }

        return largest;
    }

    /// <summary>row = e^(row − top); returns the sum.</summary>
    [MethodImpl(SimdOptions.Loop)]
    internal static float Exponentials<TSimd, TVec>(float* row, int count, float top)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec offset = TSimd.Broadcast(top);
        TVec sum = TSimd.Zero;
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            TVec e = VectorMath.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(row + c), offset));
            TSimd.Store(e, row + c);
            sum = TSimd.Add(sum, e);
        }

        float total = TSimd.Sum(sum);
        for (; c < count; c++)
        {
            row[c] = VectorMath.Exp<SimdScalar, float>(row[c] - top);
            total += row[c];
        }

        return total;
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Scale<TSimd, TVec>(float* row, int count, float factor)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // Rows of sums are whole panels.
        for (int c = 0; c < count; c += TSimd.Width)
        {
            TSimd.Store(TSimd.Multiply(TSimd.Load(row + c), TSimd.Broadcast(factor)), row + c);
        }
    }

    private struct Work
    {
        public AttentionLayout Layout;
        public float* Keys;
        public float* Values;
        public float* O;
        public nint ORow;
        public float* LogSumExp;
        public float* Scratch;
        public nint ScratchStride;
    }

    /// <summary>One block of queries, in a thread's own memory.</summary>
    private struct Block
    {
        public int Query;
        public int Queries;
        public float* Scores;
        public float* Sums;
        public float* Tops;
        public float* Totals;
    }
}
