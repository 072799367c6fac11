using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>Copies of matrix blocks in the order in which tiles read them; BF16 and F16 are widened on the way.</summary>
internal static unsafe class Packing
{
    /// <summary>
    /// Packs columns of the second operand into panels two vectors wide: for each p the panel's elements [p, j] side by side.
    /// The last panel is filled up with zeros.
    /// </summary>
    public static void Columns<TSimd, TVec>(in Product product, int column, int count, int start, int depth, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        switch (product.BType)
        {
            case DType.F32:
                Columns<TSimd, TVec, F32Loader>(product, column, count, start, depth, destination);
                break;
            case DType.BF16:
                Columns<TSimd, TVec, Bf16Loader>(product, column, count, start, depth, destination);
                break;
            default:
                Columns<TSimd, TVec, F16Loader>(product, column, count, start, depth, destination);
                break;
        }
    }

    /// <summary>Packs rows of a first operand that are contiguous over p: close together, nothing else changes.</summary>
    public static void CopyRows(float* source, nint stride, int count, int depth, float* destination)
    {
        for (int i = 0; i < count; i++, source += stride, destination += depth)
        {
            new Span<float>(source, depth).CopyTo(new Span<float>(destination, depth));
        }
    }

    /// <summary>
    /// Packs rows of a first operand whose rows are contiguous over i: for each p the tile's elements [i, p] side by side, the
    /// last tile filled up with zeros. Runs along p first, so that whole cache lines of the source are used at once.
    /// </summary>
    [MethodImpl(SimdOptions.Loop)]
    public static void Rows(float* source, nint step, int count, int depth, int height, float* destination)
    {
        nint tile = (nint)height * depth;
        int whole = count / height * height;
        for (int p = 0; p < depth; p++, source += step, destination += height)
        {
            float* target = destination;
            int i = 0;
            if (height == 6 && Vector128.IsHardwareAccelerated)
            {
                for (; i < whole; i += 6, target += tile)
                {
                    Vector128.Load(source + i).Store(target);
                    *(ulong*)(target + 4) = *(ulong*)(source + i + 4);
                }
            }
            else if (height == 12 && Vector128.IsHardwareAccelerated)
            {
                for (; i < whole; i += 12, target += tile)
                {
                    Vector128.Load(source + i).Store(target);
                    Vector128.Load(source + i + 4).Store(target + 4);
                    Vector128.Load(source + i + 8).Store(target + 8);
                }
            }

            for (; i < count; i += height, target += tile)
            {
                for (int j = 0; j < height; j++)
                {
                    target[j] = i + j < count ? source[i + j] : 0;
                }
            }
        }
    }

    private static void Columns<TSimd, TVec, TLoader>(
        in Product product, int column, int count, int start, int depth, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TLoader : struct, ILoader
    {
        int width = 2 * TSimd.Width;
        int straight = 0;
        if (!product.BTransposed)
        {
            straight = count / width;
            byte* source = (byte*)product.B + ((((nint)start * product.BRow) + column) * TLoader.Size);
            Straight<TSimd, TVec, TLoader>(source, product.BRow, straight, depth, destination);
        }

        destination += (nint)straight * width * depth;
        for (int done = straight * width; done < count; done += width, destination += (nint)width * depth)
        {
            int columns = Math.Min(width, count - done);
            nint at = product.BTransposed
                ? ((nint)(column + done) * product.BRow) + start
                : ((nint)start * product.BRow) + column + done;
            byte* source = (byte*)product.B + (at * TLoader.Size);
            if (columns < width)
            {
                new Span<float>(destination, width * depth).Clear();
            }

            if (product.BTransposed)
            {
                Transposed<TLoader>(source, product.BRow, columns, depth, destination, width);
            }
            else
            {
                Part<TLoader>(source, product.BRow, columns, depth, destination, width);
            }
        }
    }

    /// <summary>Rows of the source become rows of so many whole panels.</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static void Straight<TSimd, TVec, TLoader>(byte* source, nint stride, int panels, int depth, float* destination)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TLoader : struct, ILoader
    {
        int width = 2 * TSimd.Width;
        nint panel = (nint)width * depth;
        stride *= TLoader.Size;
        for (int p = 0; p < depth; p++, source += stride, destination += width)
        {
            float* target = destination;
            byte* from = source;
            for (int i = 0; i < panels; i++, target += panel, from += width * TLoader.Size)
            {
                TSimd.Store(TLoader.Load<TSimd, TVec>(from, 0), target);
                TSimd.Store(TLoader.Load<TSimd, TVec>(from, TSimd.Width), target + TSimd.Width);
            }
        }
    }

    /// <summary>Rows of the source become rows of a panel that they do not fill.</summary>
    private static void Part<TLoader>(byte* source, nint stride, int columns, int depth, float* destination, int width)
        where TLoader : struct, ILoader
    {
        for (int p = 0; p < depth; p++, source += stride * TLoader.Size, destination += width)
        {
            for (int j = 0; j < columns; j++)
            {
                destination[j] = TLoader.Load<SimdScalar, float>(source, j);
            }
        }
    }

    /// <summary>Rows of the source become columns of the panel, four by four where there are vectors.</summary>
    [MethodImpl(SimdOptions.Loop)]
    private static void Transposed<TLoader>(byte* source, nint stride, int columns, int depth, float* destination, int width)
        where TLoader : struct, ILoader
    {
        stride *= TLoader.Size;
        int column = 0;
        bool vectors = width > 2 && (Sse2.IsSupported || AdvSimd.Arm64.IsSupported);
        for (; vectors && column + 4 <= columns; column += 4)
        {
            byte* r0 = source + (column * stride);
            byte* r1 = r0 + stride;
            byte* r2 = r1 + stride;
            byte* r3 = r2 + stride;
            float* target = destination + column;
            int p = 0;
            for (; p + 4 <= depth; p += 4, target += 4 * width)
            {
                StoreTransposed(
                    TLoader.Load<Simd128, Vector128<float>>(r0, p), TLoader.Load<Simd128, Vector128<float>>(r1, p),
                    TLoader.Load<Simd128, Vector128<float>>(r2, p), TLoader.Load<Simd128, Vector128<float>>(r3, p),
                    target, width);
            }

            for (; p < depth; p++, target += width)
            {
                target[0] = TLoader.Load<SimdScalar, float>(r0, p);
                target[1] = TLoader.Load<SimdScalar, float>(r1, p);
                target[2] = TLoader.Load<SimdScalar, float>(r2, p);
                target[3] = TLoader.Load<SimdScalar, float>(r3, p);
            }
        }

        for (; column < columns; column++)
        {
            for (int p = 0; p < depth; p++)
            {
                destination[((nint)p * width) + column] = TLoader.Load<SimdScalar, float>(source + (column * stride), p);
            }
        }
    }

    [MethodImpl(SimdOptions.Inline)]
    private static void StoreTransposed(
        Vector128<float> r0, Vector128<float> r1, Vector128<float> r2, Vector128<float> r3, float* destination, int width)
    {
        Vector128<double> low01 = ZipLow(r0, r1).AsDouble();
        Vector128<double> low23 = ZipLow(r2, r3).AsDouble();
        Vector128<double> high01 = ZipHigh(r0, r1).AsDouble();
        Vector128<double> high23 = ZipHigh(r2, r3).AsDouble();
        ZipLow(low01, low23).AsSingle().Store(destination);
        ZipHigh(low01, low23).AsSingle().Store(destination + width);
        ZipLow(high01, high23).AsSingle().Store(destination + (2 * width));
        ZipHigh(high01, high23).AsSingle().Store(destination + (3 * width));
    }

    // The portable vector types have no interleaving of two vectors that compiles to the one instruction that both
    // families of processors have for it.
    [MethodImpl(SimdOptions.Inline)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(SimdOptions.Inline)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    [MethodImpl(SimdOptions.Inline)]
    private static Vector128<double> ZipLow(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(SimdOptions.Inline)]
    private static Vector128<double> ZipHigh(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);
}
