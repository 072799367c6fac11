using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>Eight floats: AVX2, with fused multiply-add.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    public static int Width => 8;

    // 12 accumulators, two vectors and one broadcast of 16 registers.
    public static int TileRows => 6;

    public static int TileDepth => 384;

    public static Vector256<float> Zero => Vector256<float>.Zero;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> LoadBf16(ushort* source) =>
        (Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe()) << 16).AsSingle();

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> LoadF16(ushort* source)
    {
        Vector256<uint> bits = Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe());
        return HalfBits.Widen(bits & Vector256.Create(0x7FFFu), (bits & Vector256.Create(0x8000u)) << 16);
    }

    [MethodImpl(SimdOptions.Inline)]
    public static void Store(Vector256<float> value, float* destination) => value.Store(destination);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.MultiplyAddEstimate(a, b, c);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Vector256.MaxNative(a, b);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => Vector256.MinNative(a, b);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> SquareRoot(Vector256<float> a) => Vector256.Sqrt(a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> Absolute(Vector256<float> a) => Vector256.Abs(a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> IfLess(
        Vector256<float> a, Vector256<float> b, Vector256<float> x, Vector256<float> y) =>
        Vector256.ConditionalSelect(Vector256.LessThan(a, b), x, y);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> CopySign(Vector256<float> a, Vector256<float> b) =>
        Vector256.ConditionalSelect(Vector256.Create(-0f), b, a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector256<float> HalfPowerOfTwo(Vector256<float> shifted) =>
        ((shifted.AsInt32() << 23) + Vector256.Create(126 << 23)).AsSingle();

    [MethodImpl(SimdOptions.Inline)]
    public static float Sum(Vector256<float> a) => Simd128.Sum(a.GetLower() + a.GetUpper());

    [MethodImpl(SimdOptions.Inline)]
    public static float Largest(Vector256<float> a) => Simd128.Largest(Vector128.MaxNative(a.GetLower(), a.GetUpper()));

    [MethodImpl(SimdOptions.Loop)]
    public static double SumOfSquares(float* source, int count)
    {
        Vector256<double> low = Vector256<double>.Zero;
        Vector256<double> high = Vector256<double>.Zero;
        for (int i = 0; i < count; i += Width)
        {
            (Vector256<double> a, Vector256<double> b) = Vector256.Widen(Vector256.Load(source + i));
            low += a * a;
            high += b * b;
        }

        return Vector256.Sum(low + high);
    }
}
