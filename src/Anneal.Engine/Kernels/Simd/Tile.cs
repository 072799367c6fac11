using System.Runtime.CompilerServices;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>
/// The innermost loops of matrix products: a tile of <c>TileRows</c> × two vectors of the result is held in registers while
/// the depth runs. One operand is read as broadcast scalars where it lies, the other as packed vectors.
/// </summary>
internal static unsafe class Tile
{
    /// <summary>
    /// c[i, j] = alpha · Σ_p a[i, p] · b[p, j] (+ c[i, j]) for the whole tile.
    /// </summary>
    /// <param name="depth">Number of terms.</param>
    /// <param name="a">Element [i, p] lies at a[i · aRow + p · aStep].</param>
    /// <param name="aRow">See <paramref name="a"/>.</param>
    /// <param name="aStep">See <paramref name="a"/>.</param>
    /// <param name="rows">Rows of a that exist; results of the others repeat the last one.</param>
    /// <param name="b">Packed: two vectors for each p.</param>
    /// <param name="c">Result, <c>TileRows</c> × two vectors.</param>
    /// <param name="cRow">Elements between rows of c.</param>
    /// <param name="alpha">Factor.</param>
    /// <param name="accumulate">Whether to add to what c holds.</param>
    [MethodImpl(SimdOptions.Inline)]
    public static void Multiply<TSimd, TVec>(
        int depth, float* a, nint aRow, nint aStep, int rows, float* b, float* c, nint cRow, float alpha, bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (TSimd.TileRows == 12)
        {
            Twelve<TSimd, TVec>(depth, a, aRow, aStep, rows, b, c, cRow, alpha, accumulate);
        }
        else
        {
            Six<TSimd, TVec>(depth, a, aRow, aStep, rows, b, c, cRow, alpha, accumulate);
        }
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Six<TSimd, TVec>(
        int depth, float* a, nint aRow, nint aStep, int rows, float* b, float* c, nint cRow, float alpha, bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // Safety: the caller vouches for `rows` rows of a, and pointers of missing rows fall back to the last of them.
        float* a0 = a;
        float* a1 = rows > 1 ? a0 + aRow : a0;
        float* a2 = rows > 2 ? a1 + aRow : a1;
        float* a3 = rows > 3 ? a2 + aRow : a2;
        float* a4 = rows > 4 ? a3 + aRow : a3;
        float* a5 = rows > 5 ? a4 + aRow : a4;
        TVec c00 = TSimd.Zero, c01 = TSimd.Zero, c10 = TSimd.Zero, c11 = TSimd.Zero;
        TVec c20 = TSimd.Zero, c21 = TSimd.Zero, c30 = TSimd.Zero, c31 = TSimd.Zero;
        TVec c40 = TSimd.Zero, c41 = TSimd.Zero, c50 = TSimd.Zero, c51 = TSimd.Zero;
        float* end = b + ((nint)depth * 2 * TSimd.Width);
        for (nint p = 0; b != end; b += 2 * TSimd.Width, p += aStep)
        {
            TVec b0 = TSimd.Load(b);
            TVec b1 = TSimd.Load(b + TSimd.Width);
            TVec x = TSimd.Broadcast(a0[p]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a1[p]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Broadcast(a2[p]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Broadcast(a3[p]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Broadcast(a4[p]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Broadcast(a5[p]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);
        }

        TVec factor = TSimd.Broadcast(alpha);
        StoreRow<TSimd, TVec>(c, c00, c01, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c10, c11, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c20, c21, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c30, c31, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c40, c41, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c50, c51, factor, accumulate);
    }

    [MethodImpl(SimdOptions.Loop)]
    private static void Twelve<TSimd, TVec>(
        int depth, float* a, nint aRow, nint aStep, int rows, float* b, float* c, nint cRow, float alpha, bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (rows < 12)
        {
            ShortTwelve<TSimd, TVec>(depth, a, aRow, aStep, rows, b, c, cRow, alpha, accumulate);
            return;
        }

        // Four pointers of three rows each: twelve would not fit in registers.
        float* a0 = a;
        float* a3 = a0 + (3 * aRow);
        float* a6 = a3 + (3 * aRow);
        float* a9 = a6 + (3 * aRow);
        nint aTwo = 2 * aRow;
        TVec c00 = TSimd.Zero, c01 = TSimd.Zero, c10 = TSimd.Zero, c11 = TSimd.Zero;
        TVec c20 = TSimd.Zero, c21 = TSimd.Zero, c30 = TSimd.Zero, c31 = TSimd.Zero;
        TVec c40 = TSimd.Zero, c41 = TSimd.Zero, c50 = TSimd.Zero, c51 = TSimd.Zero;
        TVec c60 = TSimd.Zero, c61 = TSimd.Zero, c70 = TSimd.Zero, c71 = TSimd.Zero;
        TVec c80 = TSimd.Zero, c81 = TSimd.Zero, c90 = TSimd.Zero, c91 = TSimd.Zero;
        TVec ca0 = TSimd.Zero, ca1 = TSimd.Zero, cb0 = TSimd.Zero, cb1 = TSimd.Zero;
        float* end = b + ((nint)depth * 2 * TSimd.Width);
        for (; b != end; b += 2 * TSimd.Width)
        {
            TVec b0 = TSimd.Load(b);
            TVec b1 = TSimd.Load(b + TSimd.Width);
            TVec x = TSimd.Broadcast(a0[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a0[aRow]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Broadcast(a0[aTwo]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Broadcast(a3[0]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Broadcast(a3[aRow]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Broadcast(a3[aTwo]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);
            x = TSimd.Broadcast(a6[0]);
            c60 = TSimd.MultiplyAdd(x, b0, c60);
            c61 = TSimd.MultiplyAdd(x, b1, c61);
            x = TSimd.Broadcast(a6[aRow]);
            c70 = TSimd.MultiplyAdd(x, b0, c70);
            c71 = TSimd.MultiplyAdd(x, b1, c71);
            x = TSimd.Broadcast(a6[aTwo]);
            c80 = TSimd.MultiplyAdd(x, b0, c80);
            c81 = TSimd.MultiplyAdd(x, b1, c81);
            x = TSimd.Broadcast(a9[0]);
            c90 = TSimd.MultiplyAdd(x, b0, c90);
            c91 = TSimd.MultiplyAdd(x, b1, c91);
            x = TSimd.Broadcast(a9[aRow]);
            ca0 = TSimd.MultiplyAdd(x, b0, ca0);
            ca1 = TSimd.MultiplyAdd(x, b1, ca1);
            x = TSimd.Broadcast(a9[aTwo]);
            cb0 = TSimd.MultiplyAdd(x, b0, cb0);
            cb1 = TSimd.MultiplyAdd(x, b1, cb1);
            a0 += aStep;
            a3 += aStep;
            a6 += aStep;
            a9 += aStep;
        }

        TVec factor = TSimd.Broadcast(alpha);
        StoreRow<TSimd, TVec>(c, c00, c01, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c10, c11, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c20, c21, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c30, c31, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c40, c41, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c50, c51, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c60, c61, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c70, c71, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c80, c81, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, c90, c91, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, ca0, ca1, factor, accumulate);
        StoreRow<TSimd, TVec>(c += cRow, cb0, cb1, factor, accumulate);
    }

    /// <summary>A tile that lacks rows, as two halves of six, whose kernel can do without.</summary>
    private static void ShortTwelve<TSimd, TVec>(
        int depth, float* a, nint aRow, nint aStep, int rows, float* b, float* c, nint cRow, float alpha, bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Six<TSimd, TVec>(depth, a, aRow, aStep, Math.Min(rows, 6), b, c, cRow, alpha, accumulate);
        if (rows > 6)
        {
            Six<TSimd, TVec>(depth, a + (6 * aRow), aRow, aStep, rows - 6, b, c + (6 * cRow), cRow, alpha, accumulate);
        }
    }

    [MethodImpl(SimdOptions.Inline)]
    private static void StoreRow<TSimd, TVec>(float* c, TVec low, TVec high, TVec factor, bool accumulate)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (accumulate)
        {
            TSimd.Store(TSimd.MultiplyAdd(low, factor, TSimd.Load(c)), c);
            TSimd.Store(TSimd.MultiplyAdd(high, factor, TSimd.Load(c + TSimd.Width)), c + TSimd.Width);
        }
        else
        {
            TSimd.Store(TSimd.Multiply(low, factor), c);
            TSimd.Store(TSimd.Multiply(high, factor), c + TSimd.Width);
        }
    }
}
