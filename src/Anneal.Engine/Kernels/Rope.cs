using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>Rotary positions in place: (a, b) → (a·cos − b·sin, b·cos + a·sin); the inverse turns the other way.</summary>
internal static unsafe class Rope
{
    private const int ElementsPerTask = 16384;

    public static void Apply<TSimd, TVec>(WorkerPool pool, Tensor x, Tensor cos, Tensor sin, int headSize, bool inverse)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work work = new()
        {
            X = x,
            Cos = cos,
            Sin = sin,
            HeadSize = headSize,
            Sign = inverse ? -1 : 1,
            RowsPerTask = Math.Max(1, ElementsPerTask / Math.Max(1, x.Columns)),
        };
        pool.Run(&Task<TSimd, TVec>, &work, Gemm.Divide(x.Rows, work.RowsPerTask));
    }

    private static void Task<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int end = Math.Min((task + 1) * work->RowsPerTask, work->X.Rows);
        for (nint t = task * work->RowsPerTask; t < end; t++)
        {
            float* row = (float*)work->X.Address + (t * work->X.Stride);
            float* cos = (float*)work->Cos.Address + (t * work->Cos.Stride);
            float* sin = (float*)work->Sin.Address + (t * work->Sin.Stride);
            for (int head = 0; head < work->X.Columns; head += work->HeadSize)
            {
                Turn<TSimd, TVec>(row + head, cos, sin, work->Cos.Columns, work->Sign);
            }
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Turn<TSimd, TVec>(float* head, float* cos, float* sin, int half, float sign)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int i = 0;
        for (; i <= half - TSimd.Width; i += TSimd.Width)
        {
            Pair<TSimd, TVec>(head + i, head + half + i, cos + i, sin + i, sign);
        }

        for (; i < half; i++)
        {
            Pair<SimdScalar, float>(head + i, head + half + i, cos + i, sin + i, sign);
        }
    }

    [MethodImpl(SimdOptions.Inline)]
    private static void Pair<TSimd, TVec>(float* first, float* second, float* cos, float* sin, float sign)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec a = TSimd.Load(first);
        TVec b = TSimd.Load(second);
        TVec c = TSimd.Load(cos);
        TVec s = TSimd.Multiply(TSimd.Load(sin), TSimd.Broadcast(sign));
        TSimd.Store(TSimd.Subtract(TSimd.Multiply(a, c), TSimd.Multiply(b, s)), first);
        TSimd.Store(TSimd.MultiplyAdd(b, c, TSimd.Multiply(a, s)), second);
    }

    private struct Work
    {
        public Tensor X;
        public Tensor Cos;
        public Tensor Sin;
        public int HeadSize;
        public int RowsPerTask;
        public float Sign;
    }
}
