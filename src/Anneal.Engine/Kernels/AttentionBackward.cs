using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// The gradients of attention from its kept log-sum-exp (Dao et al. 2022, algorithm 4): a task takes one head of one segment, so
/// that every sum has one owner and one order; five products of a block of queries and a block of keys, nothing computed twice.
/// </summary>
/// <remarks>
/// Query heads that share keys would add to the same dk and dv: they write partial sums, which a last pass adds in the order of
/// the heads.
/// </remarks>
internal static unsafe class AttentionBackward
{
    private const int QueryBlock = AttentionLayout.QueryBlock;
    private const int KeyBlock = AttentionLayout.KeyBlock;
    private const int RowsPerTask = 16;

    public static void Run<TSimd, TVec>(
        WorkerPool pool, in AttentionGradients tensors, ReadOnlySpan<int> segments, in AttentionShape shape)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        fixed (int* pinned = segments)
        {
            AttentionLayout layout = AttentionLayout.Create<TSimd, TVec>(
                tensors.Q, tensors.K, tensors.V, pinned, segments.Length, shape);
            Work work = new() { Layout = layout, Tensors = tensors };
            work.KeysAcross = (float*)pool.Shared(0, layout.PackedBytes);
            work.KeysAlong = (float*)pool.Shared(1, layout.PackedBytes);
            work.ValuesAcross = (float*)pool.Shared(2, layout.PackedBytes);
            int floats = QueryBlock * ((2 * KeyBlock) + (2 * layout.PaddedHead) + 1);
            work.Scratch = pool.Private(3, floats, out work.ScratchStride);
            if (layout.Group == 1)
            {
                (work.DkRow, work.DvRow) = (tensors.Dk.Stride, tensors.Dv.Stride);
                work.Dk = (float*)tensors.Dk.Address;
                work.Dv = (float*)tensors.Dv.Address;
            }
            else
            {
                work.DkRow = work.DvRow = tensors.Q.Columns;
                long bytes = (long)layout.Tokens * tensors.Q.Columns * sizeof(float);
                work.Dk = (float*)pool.Shared(4, bytes);
                work.Dv = (float*)pool.Shared(5, bytes);
            }

            pool.Run(&PackTask<TSimd, TVec>, &work, layout.SegmentCount * shape.KeyValueHeads);
            pool.Run(&HeadTask<TSimd, TVec>, &work, layout.SegmentCount * shape.Heads);
            if (layout.Group > 1)
            {
                pool.Run(&SumTask<TSimd, TVec>, &work, Gemm.Divide(layout.Tokens, RowsPerTask));
            }
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
        layout->PackAcross<TSimd, TVec>(layout->K, layout->KRow, segment, head, work->KeysAcross);
        layout->PackAlong<TSimd, TVec>(layout->K, layout->KRow, segment, head, work->KeysAlong);
        layout->PackAcross<TSimd, TVec>(layout->V, layout->VRow, segment, head, work->ValuesAcross);
    }

    private static void HeadTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        AttentionLayout* layout = &work->Layout;
        int segment = task / layout->Shape.Heads;
        int head = task % layout->Shape.Heads;
        int size = layout->Shape.HeadSize;
        nint start = layout->Segments[segment];
        Head state = new()
        {
            Start = start,
            Length = (int)(layout->Segments[segment + 1] - start),
            Dk = work->Dk + (start * work->DkRow) + (head * size),
            Dv = work->Dv + (start * work->DvRow) + (head * size),
            KeysAcross = layout->Packed(work->KeysAcross, segment, head / layout->Group),
            KeysAlong = layout->Packed(work->KeysAlong, segment, head / layout->Group),
            ValuesAcross = layout->Packed(work->ValuesAcross, segment, head / layout->Group),
            Weights = work->Scratch + (worker * work->ScratchStride),
        };
        state.Slopes = state.Weights + (QueryBlock * KeyBlock);
        state.Queries = state.Slopes + (QueryBlock * KeyBlock);
        state.Gradients = state.Queries + ((nint)QueryBlock * layout->PaddedHead);
        state.Shared = state.Gradients + ((nint)QueryBlock * layout->PaddedHead);
        for (nint t = 0; t < state.Length; t++)
        {
            new Span<float>(state.Dk + (t * work->DkRow), size).Clear();
            new Span<float>(state.Dv + (t * work->DvRow), size).Clear();
        }

        for (int query = 0; query < state.Length; query += QueryBlock)
        {
            QueryRows<TSimd, TVec>(work, &state, head, query);
        }
    }

    /// <summary>A block of queries against every block of keys that it sees.</summary>
    private static void QueryRows<TSimd, TVec>(Work* work, Head* state, int head, int query)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        AttentionLayout* layout = &work->Layout;
        int size = layout->Shape.HeadSize;
        int count = Math.Min(QueryBlock, state->Length - query);
        nint row = state->Start + query;
        nint column = head * size;
        float* q = layout->Q + (row * layout->QRow) + column;
        float* dO = (float*)work->Tensors.DO.Address + (row * work->Tensors.DO.Stride) + column;
        float* o = (float*)work->Tensors.O.Address + (row * work->Tensors.O.Stride) + column;
        float* dq = (float*)work->Tensors.Dq.Address + (row * work->Tensors.Dq.Stride) + column;
        float* logSumExp = (float*)work->Tensors.LogSumExp.Address + ((nint)head * layout->Tokens) + row;
        Pack<TSimd, TVec>(q, layout->QRow, count, size, state->Queries);
        Pack<TSimd, TVec>(dO, work->Tensors.DO.Stride, count, size, state->Gradients);
        for (nint i = 0; i < count; i++)
        {
            state->Shared[i] = Dot<TSimd, TVec>(
                dO + (i * work->Tensors.DO.Stride), o + (i * work->Tensors.O.Stride), size);
        }

        int first = layout->FirstKey(query);
        for (int key = first; key < query + count; key += KeyBlock)
        {
            int keys = Math.Min(KeyBlock, query + count - key);
            layout->Scores<TSimd, TVec>(
                state->Weights, q, layout->QRow, state->KeysAcross, query, count, key, keys, layout->Shape.Scale);
            layout->Scores<TSimd, TVec>(
                state->Slopes, dO, work->Tensors.DO.Stride, state->ValuesAcross, query, count, key, keys, 1);
            Slopes<TSimd, TVec>(layout, state, logSumExp, query, count, key, keys);
            AddQueries<TSimd, TVec>(
                layout, state, dq, work->Tensors.Dq.Stride, query, count, key, keys, accumulate: key > first);
            AddKeys<TSimd, TVec>(
                layout, state->Weights, state->Gradients, state->Dv + (key * work->DvRow), work->DvRow, query, count, key, keys);
            AddKeys<TSimd, TVec>(
                layout, state->Slopes, state->Queries, state->Dk + (key * work->DkRow), work->DkRow, query, count, key, keys);
        }
    }

    private static void Pack<TSimd, TVec>(float* source, nint row, int count, int size, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Product product = new() { B = source, BRow = row, BType = DType.F32 };
        Packing.Columns<TSimd, TVec>(product, 0, size, 0, count, destination);
    }

    /// <summary>Scores become weights p = e^(score − logsumexp), dp becomes p · (dp − dO·o) · scale; both 0 where masked.</summary>
    private static void Slopes<TSimd, TVec>(
        AttentionLayout* layout, Head* state, float* logSumExp, int query, int count, int key, int keys)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int width = Gemm.Divide(keys, layout->Panel) * layout->Panel;
        for (int i = 0; i < count; i++)
        {
            float* weights = state->Weights + (i * KeyBlock);
            float* slopes = state->Slopes + (i * KeyBlock);
            int end = Math.Clamp(query + i + 1 - key, 0, keys);
            int first = layout->Shape.Window == 0 ? 0 : Math.Clamp(query + i - layout->Shape.Window + 1 - key, 0, end);
            new Span<float>(weights, first).Clear();
            new Span<float>(slopes, first).Clear();
            new Span<float>(weights + end, width - end).Clear();
            new Span<float>(slopes + end, width - end).Clear();
            if (layout->Shape.SoftCap > 0)
            {
                CappedRow<TSimd, TVec>(
                    weights + first, slopes + first, end - first, logSumExp[i], state->Shared[i], layout->Shape.Scale,
                    layout->Shape.SoftCap);
            }
            else
            {
                SlopeRow<TSimd, TVec>(
                    weights + first, slopes + first, end - first, logSumExp[i], state->Shared[i], layout->Shape.Scale);
            }
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void SlopeRow<TSimd, TVec>(
        float* weights, float* slopes, int count, float logSumExp, float shared, float scale)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            Slope<TSimd, TVec>(weights + c, slopes + c, logSumExp, shared, scale);
        }

        for (; c < count; c++)
        {
            Slope<SimdScalar, float>(weights + c, slopes + c, logSumExp, shared, scale);
        }
    }

    [MethodImpl(SimdOptions.Inline)]
    private static void Slope<TSimd, TVec>(float* weight, float* slope, float logSumExp, float shared, float scale)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec p = VectorMath.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(weight), TSimd.Broadcast(logSumExp)));
        TVec difference = TSimd.Subtract(TSimd.Load(slope), TSimd.Broadcast(shared));
        TSimd.Store(p, weight);
        TSimd.Store(TSimd.Multiply(TSimd.Multiply(p, difference), TSimd.Broadcast(scale)), slope);
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void CappedRow<TSimd, TVec>(
        float* weights, float* slopes, int count, float logSumExp, float shared, float scale, float cap)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            Capped<TSimd, TVec>(weights + c, slopes + c, logSumExp, shared, scale, cap);
        }

        for (; c < count; c++)
        {
            Capped<SimdScalar, float>(weights + c, slopes + c, logSumExp, shared, scale, cap);
        }
    }

    /// <summary>As <see cref="Slope"/>, through score = cap · tanh(raw / cap), whose slope is 1 − tanh².</summary>
    [MethodImpl(SimdOptions.Inline)]
    private static void Capped<TSimd, TVec>(
        float* weight, float* slope, float logSumExp, float shared, float scale, float cap)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec tanh = VectorMath.Tanh<TSimd, TVec>(TSimd.Multiply(TSimd.Load(weight), TSimd.Broadcast(1 / cap)));
        TSimd.Store(TSimd.Multiply(tanh, TSimd.Broadcast(cap)), weight);
        Slope<TSimd, TVec>(weight, slope, logSumExp, shared, scale);
        TVec bend = TSimd.Subtract(TSimd.Broadcast(1f), TSimd.Multiply(tanh, tanh));
        TSimd.Store(TSimd.Multiply(TSimd.Load(slope), bend), slope);
    }

    /// <summary>dq (= or +=) slopes · keys, each tile of queries only as far as its last query sees.</summary>
    private static void AddQueries<TSimd, TVec>(
        AttentionLayout* layout, Head* state, float* dq, nint dqRow, int query, int count, int key, int keys,
        bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int size = layout->Shape.HeadSize;
        for (int d = 0; d < size; d += layout->Panel)
        {
            float* b = state->KeysAlong + ((nint)d * state->Length) + ((nint)key * layout->Panel);
            for (int i = 0; i < count; i += TSimd.TileRows)
            {
                int height = Math.Min(TSimd.TileRows, count - i);
                int depth = Math.Min(keys, query + i + TSimd.TileRows - key);
                if (depth > 0)
                {
                    Gemm.AnyTile<TSimd, TVec>(
                        depth, state->Slopes + (i * KeyBlock), KeyBlock, 1, height, b, dq + (i * dqRow) + d, dqRow, 1,
                        accumulate, height, Math.Min(layout->Panel, size - d));
                }
            }
        }
    }

    /// <summary>gradient of keys or values += blockᵀ · rows, each tile of keys only from the first query that sees it.</summary>
    private static void AddKeys<TSimd, TVec>(
        AttentionLayout* layout, float* block, float* rows, float* target, nint targetRow, int query, int count, int key,
        int keys)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int size = layout->Shape.HeadSize;
        for (int d = 0; d < size; d += layout->Panel)
        {
            float* b = rows + ((nint)d * count);
            for (int j = 0; j < keys; j += TSimd.TileRows)
            {
                int height = Math.Min(TSimd.TileRows, keys - j);
                int skip = Math.Max(0, key + j - query);
                if (skip < count)
                {
                    Gemm.AnyTile<TSimd, TVec>(
                        count - skip, block + (skip * KeyBlock) + j, 1, KeyBlock, height, b + ((nint)skip * layout->Panel),
                        target + (j * targetRow) + d, targetRow, 1, true, height, Math.Min(layout->Panel, size - d));
                }
            }
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    internal static float Dot<TSimd, TVec>(float* a, float* b, int count)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec sum = TSimd.Zero;
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            sum = TSimd.MultiplyAdd(TSimd.Load(a + c), TSimd.Load(b + c), sum);
        }

        float total = TSimd.Sum(sum);
        for (; c < count; c++)
        {
            total += a[c] * b[c];
        }

        return total;
    }

    /// <summary>Adds the partial sums of the heads of a group.</summary>
    private static void SumTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        AttentionLayout* layout = &work->Layout;
        int size = layout->Shape.HeadSize;
        int end = Math.Min((task + 1) * RowsPerTask, layout->Tokens);
        for (nint t = task * RowsPerTask; t < end; t++)
        {
            float* dk = (float*)work->Tensors.Dk.Address + (t * work->Tensors.Dk.Stride);
            float* dv = (float*)work->Tensors.Dv.Address + (t * work->Tensors.Dv.Stride);
            for (int head = 0; head < layout->Shape.Heads; head++)
            {
                nint from = (t * work->DkRow) + (head * size);
                int to = head / layout->Group * size;
                if (head % layout->Group == 0)
                {
                    new Span<float>(work->Dk + from, size).CopyTo(new Span<float>(dk + to, size));
                    new Span<float>(work->Dv + from, size).CopyTo(new Span<float>(dv + to, size));
                }
                else
                {
                    Arithmetic.AddRow<TSimd, TVec>(dk + to, work->Dk + from, size);
                    Arithmetic.AddRow<TSimd, TVec>(dv + to, work->Dv + from, size);
                }
            }
        }
    }

    private struct Work
    {
        public AttentionLayout Layout;
        public AttentionGradients Tensors;
        public float* KeysAcross;
        public float* KeysAlong;
        public float* ValuesAcross;
        public float* Dk;
        public nint DkRow;
        public float* Dv;
        public nint DvRow;
        public float* Scratch;
        public nint ScratchStride;
    }

    /// <summary>One head of one segment; the last five lie in a thread's own memory.</summary>
    private struct Head
    {
        public nint Start;
        public int Length;
        public float* Dk;
        public float* Dv;
        public float* KeysAcross;
        public float* KeysAlong;
        public float* ValuesAcross;
        public float* Weights;
        public float* Slopes;
        public float* Queries;
        public float* Gradients;
        public float* Shared;
    }
}

/// <summary>The tensors of <see cref="ICompute.AttentionBackward"/>.</summary>
internal readonly record struct AttentionGradients(
    Tensor Dq, Tensor Dk, Tensor Dv, Tensor DO, Tensor O, Tensor LogSumExp, Tensor Q, Tensor K, Tensor V);
