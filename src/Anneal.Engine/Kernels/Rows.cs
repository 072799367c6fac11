using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>Rows found by index: embedding tables, and the positions of a batch that are trained.</summary>
internal static unsafe class Rows
{
    private const int RowsPerTask = 16;
    private const int ColumnsPerTask = 64;

    /// <summary>y[i, :] = scale · x[rows[i], :], x of any floating type.</summary>
    public static void Gather<TSimd, TVec>(WorkerPool pool, Tensor y, Tensor x, ReadOnlySpan<int> rows, float scale)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        fixed (int* pinned = rows)
        {
            Work work = new() { Y = y, X = x, Indices = pinned, Scale = scale };
            pool.Run(&GatherTask<TSimd, TVec>, &work, Gemm.Divide(y.Rows, RowsPerTask));
        }
    }

    /// <summary>
    /// y[rows[i], :] += scale · x[i, :] in ascending order of i, however often a row occurs: a task has a strip of columns and
    /// goes through all rows.
    /// </summary>
    public static void ScatterAdd<TSimd, TVec>(WorkerPool pool, Tensor y, Tensor x, ReadOnlySpan<int> rows, float scale)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        fixed (int* pinned = rows)
        {
            Work work = new() { Y = y, X = x, Indices = pinned, Scale = scale };
            pool.Run(&ScatterTask<TSimd, TVec>, &work, Gemm.Divide(y.Columns, ColumnsPerTask));
        }
    }

    private static void GatherTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        DType type = work->X.Type;
        int end = Math.Min((task + 1) * RowsPerTask, work->Y.Rows);
        for (nint i = task * RowsPerTask; i < end; i++)
        {
            nint from = (nint)work->Indices[i] * work->X.Stride * type.SizeInBytes();
            float* y = (float*)work->Y.Address + (i * work->Y.Stride);
            Arithmetic.Widen<TSimd, TVec>((byte*)work->X.Address + from, type, work->Y.Columns, y);
            if (work->Scale != 1)
            {
                ScaleRow<TSimd, TVec>(y, work->Scale, work->Y.Columns);
            }
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void ScaleRow<TSimd, TVec>(float* y, float scale, int count)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int c = 0;
        for (; c <= count - TSimd.Width; c += TSimd.Width)
        {
            TSimd.Store(TSimd.Multiply(TSimd.Load(y + c), TSimd.Broadcast(scale)), y + c);
        }

        for (; c < count; c++)
        {
            y[c] *= scale;
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void ScatterTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int start = task * ColumnsPerTask;
        int count = Math.Min(ColumnsPerTask, work->Y.Columns - start);
        for (nint i = 0; i < work->X.Rows; i++)
        {
            float* y = (float*)work->Y.Address + ((nint)work->Indices[i] * work->Y.Stride) + start;
            float* x = (float*)work->X.Address + (i * work->X.Stride) + start;
            int c = 0;
            for (; c <= count - TSimd.Width; c += TSimd.Width)
            {
                TSimd.Store(TSimd.MultiplyAdd(TSimd.Load(x + c), TSimd.Broadcast(work->Scale), TSimd.Load(y + c)), y + c);
            }

            for (; c < count; c++)
            {
                y[c] += x[c] * work->Scale;
            }
        }
    }

    private struct Work
    {
        public Tensor Y;
        public Tensor X;
        public int* Indices;
        public float Scale;
    }
}
