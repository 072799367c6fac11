using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>Sixteen floats: AVX-512.</summary>
internal readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    public static int Width => 16;

    // 24 accumulators, two vectors and one broadcast of 32 registers.
    public static int TileRows => 12;

    public static int TileDepth => 256;

    public static Vector512<float> Zero => Vector512<float>.Zero;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> LoadBf16(ushort* source) =>
        (Vector512.WidenLower(Vector256.Load(source).ToVector512Unsafe()) << 16).AsSingle();

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> LoadF16(ushort* source)
    {
        Vector512<uint> bits = Vector512.WidenLower(Vector256.Load(source).ToVector512Unsafe());
        return HalfBits.Widen(bits & Vector512.Create(0x7FFFu), (bits & Vector512.Create(0x8000u)) << 16);
    }

    [MethodImpl(SimdOptions.Inline)]
    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.MultiplyAddEstimate(a, b, c);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Vector512.MaxNative(a, b);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) => Vector512.MinNative(a, b);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> SquareRoot(Vector512<float> a) => Vector512.Sqrt(a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> Absolute(Vector512<float> a) => Vector512.Abs(a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> IfLess(
        Vector512<float> a, Vector512<float> b, Vector512<float> x, Vector512<float> y) =>
        Vector512.ConditionalSelect(Vector512.LessThan(a, b), x, y);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> CopySign(Vector512<float> a, Vector512<float> b) =>
        Vector512.ConditionalSelect(Vector512.Create(-0f), b, a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector512<float> HalfPowerOfTwo(Vector512<float> shifted) =>
        ((shifted.AsInt32() << 23) + Vector512.Create(126 << 23)).AsSingle();

    [MethodImpl(SimdOptions.Inline)]
    public static float Sum(Vector512<float> a) => Simd256.Sum(a.GetLower() + a.GetUpper());

    [MethodImpl(SimdOptions.Inline)]
    public static float Largest(Vector512<float> a) => Simd256.Largest(Vector256.MaxNative(a.GetLower(), a.GetUpper()));

    [MethodImpl(SimdOptions.Loop)]
    public static double SumOfSquares(float* source, int count)
    {
        Vector512<double> low = Vector512<double>.Zero;
        Vector512<double> high = Vector512<double>.Zero;
        for (int i = 0; i < count; i += Width)
        {
            (Vector512<double> a, Vector512<double> b) = Vector512.Widen(Vector512.Load(source + i));
            low += a * a;
            high += b * b;
        }

        return Vector512.Sum(low + high);
    }
}
