using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>
/// binary16 to binary32 in integer arithmetic. Shifted into place, the magnitude is a float 2¹¹² times too small, which one exact
/// multiplication repairs, subnormal numbers included; infinities and NaN then lack the upper exponent bits.
/// </summary>
internal static class HalfBits
{
    private const uint Scale = (127 + 112) << 23;
    private const uint NotFinite = 0x7C00 << 13;
    private const uint Exponent = 0x7F80_0000;

    /// <summary>Magnitude bits in the low half of each lane, the sign already in place.</summary>
    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Widen(Vector512<uint> magnitude, Vector512<uint> sign)
    {
        Vector512<uint> shifted = magnitude << 13;
        Vector512<uint> value = (shifted.AsSingle() * Vector512.Create(Scale).AsSingle()).AsUInt32();
        Vector512<int> special = Vector512.GreaterThanOrEqual(shifted.AsInt32(), Vector512.Create((int)NotFinite));
        return (value | (special.AsUInt32() & Vector512.Create(Exponent)) | sign).AsSingle();
    }

    /// <summary>Magnitude bits in the low half of each lane, the sign already in place.</summary>
    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Widen(Vector256<uint> magnitude, Vector256<uint> sign)
    {
        Vector256<uint> shifted = magnitude << 13;
        Vector256<uint> value = (shifted.AsSingle() * Vector256.Create(Scale).AsSingle()).AsUInt32();
        Vector256<int> special = Vector256.GreaterThanOrEqual(shifted.AsInt32(), Vector256.Create((int)NotFinite));
        return (value | (special.AsUInt32() & Vector256.Create(Exponent)) | sign).AsSingle();
    }

    /// <summary>Magnitude bits in the low half of each lane, the sign already in place.</summary>
    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Widen(Vector128<uint> magnitude, Vector128<uint> sign)
    {
        Vector128<uint> shifted = magnitude << 13;
        Vector128<uint> value = (shifted.AsSingle() * Vector128.Create(Scale).AsSingle()).AsUInt32();
        Vector128<int> special = Vector128.GreaterThanOrEqual(shifted.AsInt32(), Vector128.Create((int)NotFinite));
        return (value | (special.AsUInt32() & Vector128.Create(Exponent)) | sign).AsSingle();
    }
}
