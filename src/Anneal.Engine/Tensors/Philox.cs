using System.Runtime.CompilerServices;

namespace Anneal.Engine.Tensors;

/// <summary>
/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a generator
/// without state. The n-th number of a stream is a function of (seed, stream, n), so numbers can be drawn in any order, by
/// any number of threads, and drawn again.
/// </summary>
public static class Philox
{
    internal const uint MultiplierA = 0xD2511F53;
    internal const uint MultiplierB = 0xCD9E8D57;
    internal const uint WeylA = 0x9E3779B9;
    internal const uint WeylB = 0xBB67AE85;
    internal const int Rounds = 10;

    /// <summary>Uniform 32 bits: number <paramref name="index"/> of a stream.</summary>
    /// <param name="seed">Key of the generator.</param>
    /// <param name="stream">One of 2⁶⁴ independent streams.</param>
    /// <param name="index">Place in the stream; four neighbours share one evaluation of the cipher.</param>
    public static uint At(ulong seed, ulong stream, ulong index)
    {
        (uint a, uint b, uint c, uint d) = Block(seed, stream, index >> 2);
        return (index & 3) switch { 0 => a, 1 => b, 2 => c, _ => d };
    }

    /// <summary>Uniform in [0, 1): the upper 24 bits of <see cref="At"/>, each value exact.</summary>
    public static float UniformAt(ulong seed, ulong stream, ulong index) => (At(seed, stream, index) >> 8) * (1f / (1 << 24));

    /// <summary>
    /// A number from 0 to <paramref name="bound"/> − 1. Lemire's multiplication without the rejection: the bias is below
    /// bound / 2³², of no consequence for shuffles and samples.
    /// </summary>
    public static int BelowAt(ulong seed, ulong stream, ulong index, int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)(((ulong)At(seed, stream, index) * (uint)bound) >> 32);
    }

    /// <summary>The four numbers 4 · <paramref name="block"/> … 4 · <paramref name="block"/> + 3 of a stream.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (uint A, uint B, uint C, uint D) Block(ulong seed, ulong stream, ulong block)
    {
        uint c0 = (uint)block, c1 = (uint)(block >> 32), c2 = (uint)stream, c3 = (uint)(stream >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong a = (ulong)MultiplierA * c0;
            ulong b = (ulong)MultiplierB * c2;
            (c0, c1, c2, c3) = ((uint)(b >> 32) ^ c1 ^ k0, (uint)b, (uint)(a >> 32) ^ c3 ^ k1, (uint)a);
            k0 += WeylA;
            k1 += WeylB;
        }

        return (c0, c1, c2, c3);
    }
}
