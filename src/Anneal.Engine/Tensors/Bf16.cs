using System.Runtime.CompilerServices;

namespace Anneal.Engine.Tensors;

/// <summary>
/// bfloat16 as a bit pattern: sign, 8 exponent bits, 7 mantissa bits, the upper half of a binary32. Widening is exact;
/// narrowing rounds to nearest, ties to even, and keeps NaN a (quiet) NaN.
/// </summary>
public static class Bf16
{
    /// <summary>The number that <paramref name="bits"/> stands for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The nearest bfloat16. Numbers beyond the largest one become infinite, as IEEE 754 rounding has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if ((bits & 0x7FFF_FFFF) > 0x7F80_0000)
        {
            // The payload's upper bits may all be zero, which would turn NaN into infinity: set the quiet bit.
            return (ushort)((bits >> 16) | 0x40);
        }

        // Adding half of the last kept place, less one unless that place is odd, carries exactly when rounding goes up.
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Widens a run of numbers. The lengths must be equal.</summary>
    public static void ToSingle(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, source.Length);
        for (int i = 0; i < source.Length; i++)
        {
            destination[i] = ToSingle(source[i]);
        }
    }

    /// <summary>Narrows a run of numbers. The lengths must be equal.</summary>
    public static void FromSingle(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, source.Length);
        for (int i = 0; i < source.Length; i++)
        {
            destination[i] = FromSingle(source[i]);
        }
    }
}
