using System.Runtime.CompilerServices;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>
/// Transcendental functions of vectors. Coefficients are minimax fits made for this file (Lawson's iteration on 4000
/// Chebyshev nodes); the errors stated are the largest that the tests find over all magnitudes, in units of the last place.
/// </summary>
internal static class VectorMath
{
    private const float Log2E = 1.44269504f;

    /// <summary>ln 2 in two parts, the first with so few bits that its product with an exponent is exact.</summary>
    private const float Ln2High = 0.693145752f;
    private const float Ln2Low = 1.42860677e-6f;

    /// <summary>Adding this puts a float's nearest integer into its low mantissa bits.</summary>
    private const float RoundingShift = 12582912f;

    /// <summary>e^x to 2 ulp. Results below 2^−125 are 0, above the largest float infinite; NaN stays NaN.</summary>
    [MethodImpl(SimdOptions.Inline)]
    public static TVec Exp<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // e^x = 2^n · e^r with n = round(x / ln 2), |r| ≤ ln 2 / 2; the second operand of Max and Min carries NaN through.
        x = TSimd.Min(TSimd.Broadcast(88.9f), TSimd.Max(TSimd.Broadcast(-87.5f), x));
        TVec shift = TSimd.Broadcast(RoundingShift);
        TVec shifted = TSimd.MultiplyAdd(x, TSimd.Broadcast(Log2E), shift);
        TVec n = TSimd.Subtract(shifted, shift);
        TVec r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-Ln2High), x);
        r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-Ln2Low), r);
        TVec q = TSimd.Broadcast(0.00138144669f);
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(0.00836878041f));
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(0.0416683942f));
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(0.166665201f));
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(0.499999934f));
        TVec e = TSimd.Add(TSimd.MultiplyAdd(TSimd.Multiply(r, r), q, r), TSimd.Broadcast(1f));

        // 2^n itself has no float for n = 128; half of it has one.
        TVec scaled = TSimd.Multiply(e, TSimd.HalfPowerOfTwo(shifted));
        return TSimd.Add(scaled, scaled);
    }

    /// <summary>1 / (1 + e^−x) to 4 ulp.</summary>
    [MethodImpl(SimdOptions.Inline)]
    public static TVec Sigmoid<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TVec one = TSimd.Broadcast(1f);
        return TSimd.Divide(one, TSimd.Add(one, Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Zero, x))));
    }

    /// <summary>tanh x to 4 ulp.</summary>
    [MethodImpl(SimdOptions.Inline)]
    public static TVec Tanh<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // Near zero 1 − 2 / (e^2x + 1) cancels: an odd polynomial there.
        TVec one = TSimd.Broadcast(1f);
        TVec size = TSimd.Absolute(x);
        TVec square = TSimd.Multiply(x, x);
        TVec p = TSimd.Broadcast(-0.00571704522f);
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(0.0206505875f));
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(-0.0537434982f));
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(0.133314913f));
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(-0.333332839f));
        TVec near = TSimd.MultiplyAdd(TSimd.Multiply(p, square), size, size);
        TVec grown = Exp<TSimd, TVec>(TSimd.Add(size, size));
        TVec far = TSimd.Subtract(one, TSimd.Divide(TSimd.Broadcast(2f), TSimd.Add(grown, one)));
        return TSimd.CopySign(TSimd.IfLess(size, TSimd.Broadcast(0.625f), near, far), x);
    }

    /// <summary>
    /// Φ(x), the normal distribution's cumulative function, to 5e-7 of its value for x ≥ −1 and 6e-6 down to −12, and
    /// √2π · φ(x) = e^(−x²/2), which the derivative of GELU needs.
    /// </summary>
    [MethodImpl(SimdOptions.Inline)]
    public static (TVec Cumulative, TVec Bell) Normal<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // erfc(z) = e^(−z²) · t · P(t) with t = 1 / (1 + 0.35 z), z = |x| / √2: the form of Abramowitz and Stegun 7.1.26, its
        // polynomial refitted with more terms.
        TVec one = TSimd.Broadcast(1f);
        TVec bell = Exp<TSimd, TVec>(TSimd.Multiply(TSimd.Multiply(x, x), TSimd.Broadcast(-0.5f)));
        TVec t = TSimd.Divide(one, TSimd.MultiplyAdd(TSimd.Absolute(x), TSimd.Broadcast(0.35f * 0.707106781f), one));
        TVec p = TSimd.Broadcast(0.0414013269f);
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(-0.177063418f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.228249286f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(-0.0952829131f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.147156534f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.111904244f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.163525493f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.185168201f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.197475062f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.197466218f));
        TVec tail = TSimd.Multiply(TSimd.Multiply(bell, t), TSimd.Multiply(p, TSimd.Broadcast(0.5f)));
        return (TSimd.IfLess(x, TSimd.Zero, tail, TSimd.Subtract(one, tail)), bell);
    }
}
