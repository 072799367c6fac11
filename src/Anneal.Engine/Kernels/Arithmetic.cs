using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>a = F0.</summary>
internal readonly unsafe struct FillOperation : IElementWise
{
    [MethodImpl(SimdOptions.Inline)]
    public static void Step<TSimd, TVec>(in Factors factors, float* a, float* b, float* c, float* d, float* e)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Store(TSimd.Broadcast(factors.F0), a);
}

/// <summary>a = a · F0.</summary>
internal readonly unsafe struct ScaleOperation : IElementWise
{
    [MethodImpl(SimdOptions.Inline)]
    public static void Step<TSimd, TVec>(in Factors factors, float* a, float* b, float* c, float* d, float* e)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Store(TSimd.Multiply(TSimd.Load(a), TSimd.Broadcast(factors.F0)), a);
}

/// <summary>a = a + F0 · b.</summary>
internal readonly unsafe struct AddScaledOperation : IElementWise
{
    [MethodImpl(SimdOptions.Inline)]
    public static void Step<TSimd, TVec>(in Factors factors, float* a, float* b, float* c, float* d, float* e)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct =>
        TSimd.Store(TSimd.MultiplyAdd(TSimd.Load(b), TSimd.Broadcast(factors.F0), TSimd.Load(a)), a);
}

/// <summary>Sums along rows and columns, and copies between storage types.</summary>
internal static unsafe class Arithmetic
{
    private const int ColumnsPerTask = 64;
    private const int RowsPerSum = 64;
    private const int SquaresPerTask = 32768;

    /// <summary>
    /// dBias += column sums. A task has a strip of columns, which it sums in blocks of rows, so that rounding grows with the
    /// number of blocks and not of rows.
    /// </summary>
    public static void BiasGradient<TSimd, TVec>(WorkerPool pool, Tensor dBias, Tensor dy)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Pair pair = new() { Target = dBias, Source = dy };
        pool.Run(&BiasTask<TSimd, TVec>, &pair, Gemm.Divide(dy.Columns, ColumnsPerTask));
    }

    /// <summary>Σ x² in double: chunk by chunk, in order.</summary>
    public static double SumOfSquares<TSimd, TVec>(WorkerPool pool, Tensor x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (x.Length == 0)
        {
            return 0;
        }

        // A contiguous tensor is one long row.
        Pair pair = new() { Source = x };
        long length = x.IsContiguous ? x.Length : x.Columns;
        pair.ChunksPerRow = checked((int)((length + SquaresPerTask - 1) / SquaresPerTask));
        int tasks = x.IsContiguous ? pair.ChunksPerRow : checked(pair.ChunksPerRow * x.Rows);
        pair.RowLength = length;
        pair.Sums = (double*)pool.Shared(0, (long)tasks * sizeof(double));
        pool.Run(&SquaresTask<TSimd, TVec>, &pair, tasks);
        double sum = 0;
        for (int i = 0; i < tasks; i++)
        {
            sum += pair.Sums[i];
        }

        return sum;
    }

    /// <summary>destination = source, each of any floating type.</summary>
    public static void Copy<TSimd, TVec>(WorkerPool pool, Tensor destination, Tensor source)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Pair pair = new() { Target = destination, Source = source };
        pool.Run(&CopyTask<TSimd, TVec>, &pair, source.Rows);
    }

    /// <summary>Sets every element of a BF16 or F16 tensor.</summary>
    public static void FillNarrow(Tensor destination, float value)
    {
        ushort bits = destination.Type == DType.BF16 ? Bf16.FromSingle(value) : BitConverter.HalfToUInt16Bits((Half)value);
        for (nint r = 0; r < destination.Rows; r++)
        {
            new Span<ushort>((ushort*)destination.Address + (r * destination.Stride), destination.Columns).Fill(bits);
        }
    }

    /// <summary>Element of any floating type.</summary>
    public static float Widen(void* source, DType type, nint index) => type switch
    {
        DType.F32 => ((float*)source)[index],
        DType.BF16 => Bf16.ToSingle(((ushort*)source)[index]),
        _ => (float)((Half*)source)[index],
    };

    /// <summary>A run of any floating type as floats.</summary>
    public static void Widen<TSimd, TVec>(void* source, DType type, int count, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        switch (type)
        {
            case DType.F32:
                new Span<float>(source, count).CopyTo(new Span<float>(destination, count));
                break;
            case DType.BF16:
                Widen<TSimd, TVec, Bf16Loader>(source, count, destination);
                break;
            default:
                Widen<TSimd, TVec, F16Loader>(source, count, destination);
                break;
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Widen<TSimd, TVec, TLoader>(void* source, int count, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TLoader : struct, ILoader
    {
        nint i = 0;
        for (; i <= count - TSimd.Width; i += TSimd.Width)
        {
            TSimd.Store(TLoader.Load<TSimd, TVec>(source, i), destination + i);
        }

        for (; i < count; i++)
        {
            destination[i] = TLoader.Load<SimdScalar, float>(source, i);
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void BiasTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Pair* pair = (Pair*)context;
        int column = task * ColumnsPerTask;
        int count = Math.Min(ColumnsPerTask, pair->Source.Columns - column);
        float* target = (float*)pair->Target.Address + column;
        float* sums = stackalloc float[ColumnsPerTask];
        for (int row = 0; row < pair->Source.Rows; row += RowsPerSum)
        {
            new Span<float>(sums, count).Clear();
            int end = Math.Min(row + RowsPerSum, pair->Source.Rows);
            for (nint r = row; r < end; r++)
            {
                AddRow<TSimd, TVec>(sums, (float*)pair->Source.Address + (r * pair->Source.Stride) + column, count);
            }

            AddRow<TSimd, TVec>(target, sums, count);
        }
    }

    /// <summary>y += x for a run of elements.</summary>
    [MethodImpl(SimdOptions.Inline)]
    public static void AddRow<TSimd, TVec>(float* y, float* x, int count)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        int i = 0;
        for (; i <= count - TSimd.Width; i += TSimd.Width)
        {
            TSimd.Store(TSimd.Add(TSimd.Load(y + i), TSimd.Load(x + i)), y + i);
        }

        for (; i < count; i++)
        {
            y[i] += x[i];
        }
    }

    private static void SquaresTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Pair* pair = (Pair*)context;
        long start = (long)(task % pair->ChunksPerRow) * SquaresPerTask;
        int count = (int)Math.Min(SquaresPerTask, pair->RowLength - start);
        nint row = task / pair->ChunksPerRow;
        float* source = (float*)pair->Source.Address + (row * pair->Source.Stride) + start;
        int whole = count / TSimd.Width * TSimd.Width;
        pair->Sums[task] = TSimd.SumOfSquares(source, whole) + SimdScalar.SumOfSquares(source + whole, count - whole);
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void CopyTask<TSimd, TVec>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Pair* pair = (Pair*)context;
        DType type = pair->Source.Type;
        DType target = pair->Target.Type;
        int count = pair->Source.Columns;
        byte* source = (byte*)pair->Source.Address + ((nint)task * pair->Source.Stride * type.SizeInBytes());
        byte* destination = (byte*)pair->Target.Address + ((nint)task * pair->Target.Stride * target.SizeInBytes());
        if (type == target)
        {
            Buffer.MemoryCopy(source, destination, (long)count * type.SizeInBytes(), (long)count * type.SizeInBytes());
            return;
        }

        switch (target)
        {
            case DType.F32:
                Widen<TSimd, TVec>(source, type, count, (float*)destination);
                break;
            case DType.BF16:
                for (nint i = 0; i < count; i++)
                {
                    ((ushort*)destination)[i] = Bf16.FromSingle(Widen(source, type, i));
                }

                break;
            default:
                for (nint i = 0; i < count; i++)
                {
                    ((Half*)destination)[i] = (Half)Widen(source, type, i);
                }

                break;
        }
    }

    private struct Pair
    {
        public Tensor Target;
        public Tensor Source;
        public double* Sums;
        public long RowLength;
        public int ChunksPerRow;
    }
}
