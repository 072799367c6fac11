using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>
/// y[M,N] = x[M,K] · w[N,K]ᵀ for few rows, as when generating: packing would cost more than the product, so rows of w are read
/// once, where they lie, against up to four rows of x at a time. The memory's speed is the limit up to some eight rows.
/// </summary>
/// <remarks>An element's terms are added in the same order however many rows there are: a sequence's numbers do not depend on
/// the sequences generated beside it.</remarks>
internal static unsafe class Gemv
{
    /// <summary>More rows than this are worth packing for.</summary>
    public const int RowsMost = 16;

    private const int OutputsPerTask = 32;

    public static void Multiply<TSimd, TVec>(WorkerPool pool, in Product product)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        fixed (Product* pinned = &product)
        {
            int tasks = Gemm.Divide(product.N, OutputsPerTask);
            switch (product.BType)
            {
                case DType.F32:
                    pool.Run(&Task<TSimd, TVec, F32Loader>, pinned, tasks);
                    break;
                case DType.BF16:
                    pool.Run(&Task<TSimd, TVec, Bf16Loader>, pinned, tasks);
                    break;
                default:
                    pool.Run(&Task<TSimd, TVec, F16Loader>, pinned, tasks);
                    break;
            }
        }
    }

    private static void Task<TSimd, TVec, TLoader>(void* context, int task, int worker)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TLoader : struct, ILoader
    {
        Product* product = (Product*)context;
        int end = Math.Min((task + 1) * OutputsPerTask, product->N);
        for (int n = task * OutputsPerTask; n < end; n += 2)
        {
            // An odd last row is computed twice and stored once.
            byte* first = (byte*)product->B + (n * product->BRow * TLoader.Size);
            byte* second = n + 1 < end ? first + (product->BRow * TLoader.Size) : first;
            int m = 0;
            for (; m + 4 <= product->M; m += 4)
            {
                Four<TSimd, TVec, TLoader>(product, m, n, first, second, n + 1 < end);
            }

            for (; m < product->M; m++)
            {
                One<TSimd, TVec, TLoader>(product, m, n, first, second, n + 1 < end);
            }
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Four<TSimd, TVec, TLoader>(Product* product, int m, int n, byte* first, byte* second, bool both)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TLoader : struct, ILoader
    {
        float* x0 = product->A + (m * product->ARow);
        float* x1 = x0 + product->ARow;
        float* x2 = x1 + product->ARow;
        float* x3 = x2 + product->ARow;
        TVec s00 = TSimd.Zero, s01 = TSimd.Zero, s02 = TSimd.Zero, s03 = TSimd.Zero;
        TVec s10 = TSimd.Zero, s11 = TSimd.Zero, s12 = TSimd.Zero, s13 = TSimd.Zero;
        nint whole = product->K / TSimd.Width * TSimd.Width;
        for (nint p = 0; p < whole; p += TSimd.Width)
        {
            TVec w0 = TLoader.Load<TSimd, TVec>(first, p);
            TVec w1 = TLoader.Load<TSimd, TVec>(second, p);
            TVec x = TSimd.Load(x0 + p);
            s00 = TSimd.MultiplyAdd(x, w0, s00);
            s10 = TSimd.MultiplyAdd(x, w1, s10);
            x = TSimd.Load(x1 + p);
            s01 = TSimd.MultiplyAdd(x, w0, s01);
            s11 = TSimd.MultiplyAdd(x, w1, s11);
            x = TSimd.Load(x2 + p);
            s02 = TSimd.MultiplyAdd(x, w0, s02);
            s12 = TSimd.MultiplyAdd(x, w1, s12);
            x = TSimd.Load(x3 + p);
            s03 = TSimd.MultiplyAdd(x, w0, s03);
            s13 = TSimd.MultiplyAdd(x, w1, s13);
        }

        Finish<TSimd, TVec, TLoader>(product, m, n, s00, first, whole);
        Finish<TSimd, TVec, TLoader>(product, m + 1, n, s01, first, whole);
        Finish<TSimd, TVec, TLoader>(product, m + 2, n, s02, first, whole);
        Finish<TSimd, TVec, TLoader>(product, m + 3, n, s03, first, whole);
        if (both)
        {
            Finish<TSimd, TVec, TLoader>(product, m, n + 1, s10, second, whole);
            Finish<TSimd, TVec, TLoader>(product, m + 1, n + 1, s11, second, whole);
            Finish<TSimd, TVec, TLoader>(product, m + 2, n + 1, s12, second, whole);
            Finish<TSimd, TVec, TLoader>(product, m + 3, n + 1, s13, second, whole);
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void One<TSimd, TVec, TLoader>(Product* product, int m, int n, byte* first, byte* second, bool both)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TLoader : struct, ILoader
    {
        float* x0 = product->A + (m * product->ARow);
        TVec s0 = TSimd.Zero, s1 = TSimd.Zero;
        nint whole = product->K / TSimd.Width * TSimd.Width;
        for (nint p = 0; p < whole; p += TSimd.Width)
        {
            TVec x = TSimd.Load(x0 + p);
            s0 = TSimd.MultiplyAdd(x, TLoader.Load<TSimd, TVec>(first, p), s0);
            s1 = TSimd.MultiplyAdd(x, TLoader.Load<TSimd, TVec>(second, p), s1);
        }

        Finish<TSimd, TVec, TLoader>(product, m, n, s0, first, whole);
        if (both)
        {
            Finish<TSimd, TVec, TLoader>(product, m, n + 1, s1, second, whole);
        }
    }

    /// <summary>Adds the lanes and the last few terms, and stores.</summary>
    [MethodImpl(SimdOptions.Inline)]
    private static void Finish<TSimd, TVec, TLoader>(Product* product, int m, int n, TVec sum, byte* w, nint whole)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TLoader : struct, ILoader
    {
        float total = TSimd.Sum(sum);
        float* x = product->A + (m * product->ARow);
        for (nint p = whole; p < product->K; p++)
        {
            total += x[p] * TLoader.Load<SimdScalar, float>(w, p);
        }

        float* y = product->C + (m * product->CRow) + n;
        *y = (product->Alpha * total) + (product->Accumulate ? *y : 0);
    }
}
