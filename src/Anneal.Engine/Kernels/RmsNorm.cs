using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// RMSNorm, a row at a time: the row is read from memory once and once more from the first-level cache. The weight's gradient is
/// summed over fixed blocks of rows, and the blocks' sums in order.
/// </summary>
internal static unsafe class RmsNorm
{
    private const int RowsPerTask = 16;
    private const int ColumnsPerTask = 64;

    public static void Forward<TSimd, TVec>(WorkerPool pool, Tensor y, Tensor rstd, Tensor x, Tensor weight, float epsilon)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work work = new() { Y = y, Rstd = rstd, X = x, Epsilon = epsilon, Weight = Weight<TSimd, TVec>(pool, weight) };
        pool.Run(&ForwardTask<TSimd, TVec>, &work, Gemm.Divide(x.Rows, RowsPerTask));
    }

    public static void Backward<TSimd, TVec>(
        WorkerPool pool, Tensor dx, Tensor dWeight, Tensor dy, Tensor x, Tensor rstd, Tensor weight, bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int tasks = Gemm.Divide(x.Rows, RowsPerTask);
        Work work = new()
        {
            Y = dy,
            Rstd = rstd,
            X = x,
            Dx = dx,
            Weight = Weight<TSimd, TVec>(pool, weight),
            Accumulate = accumulate,
            DWeight = (float*)dWeight.Address,
            Partial = dWeight.IsNone ? null : (float*)pool.Shared(1, (long)tasks * x.Columns * sizeof(float)),
            Tasks = tasks,
        };
        pool.Run(&BackwardTask<TSimd, TVec>, &work, tasks);
        if (!dWeight.IsNone)
        {
            pool.Run(&WeightTask<TSimd, TVec>, &work, Gemm.Divide(x.Columns, ColumnsPerTask));
        }
    }

    /// <summary>The weight as floats: where it lies, or widened aside.</summary>
    private static float* Weight<TSimd, TVec>(WorkerPool pool, Tensor weight)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (weight.Type == DType.F32)
        {
            return (float*)weight.Address;
        }

        float* widened = (float*)pool.Shared(0, weight.Length * sizeof(float));
        Arithmetic.Widen<TSimd, TVec>((void*)weight.Address, weight.Type, weight.Columns, widened);
        return widened;
    }

    private static void ForwardTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int end = Math.Min((task + 1) * RowsPerTask, work->X.Rows);
        for (nint r = task * RowsPerTask; r < end; r++)
        {
            ((float*)work->Rstd.Address)[r] = ForwardRow<TSimd, TVec>(
                (float*)work->Y.Address + (r * work->Y.Stride), (float*)work->X.Address + (r * work->X.Stride),
                work->Weight, work->X.Columns, work->Epsilon);
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static float ForwardRow<TSimd, TVec>(float* y, float* x, float* weight, int columns, float epsilon)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // Two sums hide the latency of addition.
        TVec even = TSimd.Zero;
        TVec odd = TSimd.Zero;
        int c = 0;
        for (; c <= columns - (2 * TSimd.Width); c += 2 * TSimd.Width)
        {
            TVec a = TSimd.Load(x + c);
            TVec b = TSimd.Load(x + c + TSimd.Width);
            even = TSimd.MultiplyAdd(a, a, even);
            odd = TSimd.MultiplyAdd(b, b, odd);
        }

        float squares = TSimd.Sum(TSimd.Add(even, odd));
        for (; c < columns; c++)
        {
            squares += x[c] * x[c];
        }

        float rstd = 1 / MathF.Sqrt((squares / columns) + epsilon);
        TVec factor = TSimd.Broadcast(rstd);
        for (c = 0; c <= columns - TSimd.Width; c += TSimd.Width)
        {
            TSimd.Store(TSimd.Multiply(TSimd.Multiply(TSimd.Load(x + c), factor), TSimd.Load(weight + c)), y + c);
        }

        for (; c < columns; c++)
        {
            y[c] = x[c] * rstd * weight[c];
        }

        return rstd;
    }

    private static void BackwardTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int columns = work->X.Columns;
        float* partial = work->Partial == null ? null : work->Partial + ((nint)task * columns);
        if (partial != null)
        {
            new Span<float>(partial, columns).Clear();
        }

        int end = Math.Min((task + 1) * RowsPerTask, work->X.Rows);
        for (nint r = task * RowsPerTask; r < end; r++)
        {
            float rstd = ((float*)work->Rstd.Address)[r];
            float* dy = (float*)work->Y.Address + (r * work->Y.Stride);
            float* x = (float*)work->X.Address + (r * work->X.Stride);
            float* dx = (float*)work->Dx.Address + (r * work->Dx.Stride);
            float projection = Project<TSimd, TVec>(dy, x, work->Weight, partial, columns, rstd);
            InputRow<TSimd, TVec>(dx, dy, x, work->Weight, columns, rstd, projection, work->Accumulate);
        }
    }

    /// <summary>Σ dy·w·x̂ / n, and partial += dy·x̂ unless null.</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static float Project<TSimd, TVec>(float* dy, float* x, float* weight, float* partial, int columns, float rstd)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec sum = TSimd.Zero;
        TVec factor = TSimd.Broadcast(rstd);
        int c = 0;
        for (; c <= columns - TSimd.Width; c += TSimd.Width)
        {
            TVec product = TSimd.Multiply(TSimd.Load(dy + c), TSimd.Multiply(TSimd.Load(x + c), factor));
            sum = TSimd.MultiplyAdd(product, TSimd.Load(weight + c), sum);
            if (partial != null)
            {
                TSimd.Store(TSimd.Add(TSimd.Load(partial + c), product), partial + c);
            }
        }

        float total = TSimd.Sum(sum);
        for (; c < columns; c++)
        {
            float product = dy[c] * (x[c] * rstd);
            total += product * weight[c];
            if (partial != null)
            {
                partial[c] += product;
            }
        }

        return total / columns;
    }

    /// <summary>dx = rstd · (dy·w − x̂ · projection), or += it.</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static void InputRow<TSimd, TVec>(
        float* dx, float* dy, float* x, float* weight, int columns, float rstd, float projection, bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec factor = TSimd.Broadcast(rstd);
        TVec pull = TSimd.Broadcast(-projection * rstd);
        int c = 0;
        for (; c <= columns - TSimd.Width; c += TSimd.Width)
        {
            TVec gradient = TSimd.Multiply(TSimd.Load(dy + c), TSimd.Load(weight + c));
            TVec inner = TSimd.MultiplyAdd(TSimd.Load(x + c), pull, gradient);
            TVec start = accumulate ? TSimd.Load(dx + c) : TSimd.Zero;
            TSimd.Store(TSimd.MultiplyAdd(inner, factor, start), dx + c);
        }

        for (; c < columns; c++)
        {
            float inner = (x[c] * (-projection * rstd)) + (dy[c] * weight[c]);
            dx[c] = (inner * rstd) + (accumulate ? dx[c] : 0);
        }
    }

    /// <summary>dWeight += the blocks' sums, in order, for a strip of columns.</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static void WeightTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Work* work = (Work*)context;
        int columns = work->X.Columns;
        int start = task * ColumnsPerTask;
        int count = Math.Min(ColumnsPerTask, columns - start);
        float* sums = stackalloc float[ColumnsPerTask];
        new Span<float>(sums, count).Clear();
        for (nint block = 0; block < work->Tasks; block++)
        {
            Arithmetic.AddRow<TSimd, TVec>(sums, work->Partial + (block * columns) + start, count);
        }

        Arithmetic.AddRow<TSimd, TVec>(work->DWeight + start, sums, count);
    }

    /// <summary>Y is dy in the backward pass.</summary>
    private struct Work
    {
        public Tensor Y;
        public Tensor Rstd;
        public Tensor X;
        public Tensor Dx;
        public float* Weight;
        public float* DWeight;
        public float* Partial;
        public float Epsilon;
        public int Tasks;
        public bool Accumulate;
    }
}
