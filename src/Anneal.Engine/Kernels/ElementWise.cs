using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>One element of an operation that treats all elements alike; instantiated for vectors and for the last few.</summary>
internal unsafe interface IElementWise
{
    /// <summary>Reads and writes at the pointers; those of absent tensors are not touched.</summary>
    static abstract void Step<TSimd, TVec>(in Factors factors, float* a, float* b, float* c, float* d, float* e)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>Scalars of an element-wise operation, each named by its user.</summary>
internal readonly record struct Factors(float F0 = 0, float F1 = 0, float F2 = 0, float F3 = 0, float F4 = 0, float F5 = 0, float F6 = 0);

/// <summary>The driver of element-wise operations: cuts tensors into tasks, rows into vectors and a tail.</summary>
internal static unsafe class ElementWise
{
    /// <summary>Elements of a task: small enough to balance, large enough that handing it out costs nothing.</summary>
    private const int TaskElements = 32768;

    /// <summary>
    /// Applies the operation to up to five tensors of one shape; <c>default</c> stands for absent ones. One with a row only is
    /// read again for each row of the others.
    /// </summary>
    public static void Apply<TSimd, TVec, TOperation>(
        WorkerPool pool, in Factors factors, Tensor a, Tensor b = default, Tensor c = default, Tensor d = default,
        Tensor e = default)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOperation : struct, IElementWise
    {
        if (a.Length == 0)
        {
            return;
        }

        Work work = new() { Factors = factors, Rows = a.Rows, Columns = a.Columns };
        bool flat = true;
        Place(ref work.A, a, a.Rows, ref flat);
        Place(ref work.B, b, a.Rows, ref flat);
        Place(ref work.C, c, a.Rows, ref flat);
        Place(ref work.D, d, a.Rows, ref flat);
        Place(ref work.E, e, a.Rows, ref flat);
        int tasks;
        if (flat)
        {
            work.Length = a.Length;
            tasks = checked((int)((a.Length + TaskElements - 1) / TaskElements));
        }
        else
        {
            work.RowsPerTask = Math.Max(1, TaskElements / a.Columns);
            tasks = Gemm.Divide(a.Rows, work.RowsPerTask);
        }

        // Safety: `work` lives on this stack until Run has returned; shapes were checked by the verb.
        pool.Run(&Task<TSimd, TVec, TOperation>, &work, tasks);
    }

    private static void Place(ref Rows rows, Tensor tensor, int count, ref bool flat)
    {
        rows.First = (float*)tensor.Address;
        rows.Stride = tensor.Rows == 1 && count > 1 ? 0 : tensor.Stride;
        flat &= tensor.IsNone || (tensor.IsContiguous && tensor.Rows == count);
    }

    private static void Task<TSimd, TVec, TOperation>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOperation : struct, IElementWise
    {
        Work* work = (Work*)context;
        if (work->Length > 0)
        {
            long start = (long)task * TaskElements;
            int count = (int)Math.Min(TaskElements, work->Length - start);
            Run<TSimd, TVec, TOperation>(
                work->Factors, work->A.First + start, work->B.First + start, work->C.First + start, work->D.First + start,
                work->E.First + start, count);
            return;
        }

        int first = task * work->RowsPerTask;
        int end = Math.Min(first + work->RowsPerTask, work->Rows);
        for (nint r = first; r < end; r++)
        {
            Run<TSimd, TVec, TOperation>(
                work->Factors, work->A.First + (r * work->A.Stride), work->B.First + (r * work->B.Stride),
                work->C.First + (r * work->C.Stride), work->D.First + (r * work->D.Stride),
                work->E.First + (r * work->E.Stride), work->Columns);
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Run<TSimd, TVec, TOperation>(
        in Factors factors, float* a, float* b, float* c, float* d, float* e, int count)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOperation : struct, IElementWise
    {
        Factors local = factors;
        nint i = 0;
        for (; i <= count - TSimd.Width; i += TSimd.Width)
        {
            TOperation.Step<TSimd, TVec>(local, a + i, b + i, c + i, d + i, e + i);
        }

        for (; i < count; i++)
        {
            TOperation.Step<SimdScalar, float>(local, a + i, b + i, c + i, d + i, e + i);
        }
    }

    private struct Rows
    {
        public float* First;
        public nint Stride;
    }

    private struct Work
    {
        public Factors Factors;
        public Rows A;
        public Rows B;
        public Rows C;
        public Rows D;
        public Rows E;
        public long Length;
        public int Rows;
        public int Columns;
        public int RowsPerTask;
    }
}
