using System.Runtime.CompilerServices;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>
/// One width of vector arithmetic on floats. Kernels are generic over it and the just-in-time compiler makes one
/// specialised copy for each width: the abstraction leaves no trace in machine code.
/// </summary>
/// <typeparam name="TVec">The vector: <c>Vector512&lt;float&gt;</c> … or <c>float</c> itself.</typeparam>
internal unsafe interface ISimd<TVec>
    where TVec : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Width { get; }

    /// <summary>Rows of the matrix-product tile: as many as leave registers for two vectors of the other operand.</summary>
    static abstract int TileRows { get; }

    /// <summary>Depth of a block of the matrix product: two vectors times this stay in the first-level cache.</summary>
    static abstract int TileDepth { get; }

    static abstract TVec Zero { get; }

    static abstract TVec Load(float* source);

    /// <summary>Widens <see cref="Width"/> bfloat16 numbers.</summary>
    static abstract TVec LoadBf16(ushort* source);

    /// <summary>Widens <see cref="Width"/> binary16 numbers.</summary>
    static abstract TVec LoadF16(ushort* source);

    static abstract void Store(TVec value, float* destination);

    static abstract TVec Broadcast(float value);

    static abstract TVec Add(TVec a, TVec b);

    static abstract TVec Subtract(TVec a, TVec b);

    static abstract TVec Multiply(TVec a, TVec b);

    static abstract TVec Divide(TVec a, TVec b);

    /// <summary>a · b + c: fused where the processor can, otherwise rounded twice.</summary>
    static abstract TVec MultiplyAdd(TVec a, TVec b, TVec c);

    /// <summary>The larger one; <paramref name="b"/> when either is NaN.</summary>
    static abstract TVec Max(TVec a, TVec b);

    /// <summary>The smaller one; <paramref name="b"/> when either is NaN.</summary>
    static abstract TVec Min(TVec a, TVec b);

    static abstract TVec SquareRoot(TVec a);

    static abstract TVec Absolute(TVec a);

    /// <summary>a &lt; b ? x : y, element by element.</summary>
    static abstract TVec IfLess(TVec a, TVec b, TVec x, TVec y);

    /// <summary>The magnitude of a with the sign of b.</summary>
    static abstract TVec CopySign(TVec a, TVec b);

    /// <summary>2^(n − 1) from n + 1.5 · 2²³, whose low mantissa bits are the integer n; −126 ≤ n − 1 ≤ 127, and 0 for n − 1 = −127.</summary>
    static abstract TVec HalfPowerOfTwo(TVec shifted);

    /// <summary>The sum of the elements, halves added first: one order for a width.</summary>
    static abstract float Sum(TVec a);

    /// <summary>The largest element.</summary>
    static abstract float Largest(TVec a);

    /// <summary>Σ x² in double over <paramref name="count"/> floats, a multiple of <see cref="Width"/>, in one order for a width.</summary>
    static abstract double SumOfSquares(float* source, int count);
}

/// <summary>Names for types of kernels, shared by all widths.</summary>
internal static class SimdOptions
{
    /// <summary>For small steps inside loops.</summary>
    public const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>
    /// For the loops themselves: compiled for speed at the first call. Tiered compilation would run the first, longest calls in
    /// slow code, and its instrumentation would be in the way of register allocation.
    /// </summary>
    public const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization;
}
