using System.Runtime.CompilerServices;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>One float: for processors without vectors, and for the last elements of rows.</summary>
internal readonly unsafe struct SimdScalar : ISimd<float>
{
    public static int Width => 1;

    public static int TileRows => 6;

    public static int TileDepth => 512;

    public static float Zero => 0;

    [MethodImpl(SimdOptions.Inline)]
    public static float Load(float* source) => *source;

    [MethodImpl(SimdOptions.Inline)]
    public static float LoadBf16(ushort* source) => Bf16.ToSingle(*source);

    [MethodImpl(SimdOptions.Inline)]
    public static float LoadF16(ushort* source) => (float)BitConverter.UInt16BitsToHalf(*source);

    [MethodImpl(SimdOptions.Inline)]
    public static void Store(float value, float* destination) => *destination = value;

    [MethodImpl(SimdOptions.Inline)]
    public static float Broadcast(float value) => value;

    [MethodImpl(SimdOptions.Inline)]
    public static float Add(float a, float b) => a + b;

    [MethodImpl(SimdOptions.Inline)]
    public static float Subtract(float a, float b) => a - b;

    [MethodImpl(SimdOptions.Inline)]
    public static float Multiply(float a, float b) => a * b;

    [MethodImpl(SimdOptions.Inline)]
    public static float Divide(float a, float b) => a / b;

    [MethodImpl(SimdOptions.Inline)]
    public static float MultiplyAdd(float a, float b, float c) => float.MultiplyAddEstimate(a, b, c);

    [MethodImpl(SimdOptions.Inline)]
    public static float Max(float a, float b) => a > b ? a : b;

    [MethodImpl(SimdOptions.Inline)]
    public static float Min(float a, float b) => a < b ? a : b;

    [MethodImpl(SimdOptions.Inline)]
    public static float SquareRoot(float a) => MathF.Sqrt(a);

    [MethodImpl(SimdOptions.Inline)]
    public static float Absolute(float a) => MathF.Abs(a);

    [MethodImpl(SimdOptions.Inline)]
    public static float IfLess(float a, float b, float x, float y) => a < b ? x : y;

    [MethodImpl(SimdOptions.Inline)]
    public static float CopySign(float a, float b) => MathF.CopySign(a, b);

    [MethodImpl(SimdOptions.Inline)]
    public static float HalfPowerOfTwo(float shifted) =>
        BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted) << 23) + (126 << 23));

    [MethodImpl(SimdOptions.Inline)]
    public static float Sum(float a) => a;

    [MethodImpl(SimdOptions.Inline)]
    public static float Largest(float a) => a;

    [MethodImpl(SimdOptions.Loop)]
    public static double SumOfSquares(float* source, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += (double)source[i] * source[i];
        }

        return sum;
    }
}
