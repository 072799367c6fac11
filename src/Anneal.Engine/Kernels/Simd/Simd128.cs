using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Anneal.Engine.Kernels.Simd;

/// <summary>Four floats: SSE and NEON.</summary>
internal readonly unsafe struct Simd128 : ISimd<Vector128<float>>
{
    public static int Width => 4;

    // NEON has 32 registers, SSE 16. Folded by the just-in-time compiler.
    public static int TileRows => AdvSimd.Arm64.IsSupported ? 12 : 6;

    public static int TileDepth => 512;

    public static Vector128<float> Zero => Vector128<float>.Zero;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> LoadBf16(ushort* source) =>
        (Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16()) << 16).AsSingle();

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> LoadF16(ushort* source)
    {
        Vector128<uint> bits = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16());
        return HalfBits.Widen(bits & Vector128.Create(0x7FFFu), (bits & Vector128.Create(0x8000u)) << 16);
    }

    [MethodImpl(SimdOptions.Inline)]
    public static void Store(Vector128<float> value, float* destination) => value.Store(destination);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.MultiplyAddEstimate(a, b, c);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => Vector128.MaxNative(a, b);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Min(Vector128<float> a, Vector128<float> b) => Vector128.MinNative(a, b);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> SquareRoot(Vector128<float> a) => Vector128.Sqrt(a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> Absolute(Vector128<float> a) => Vector128.Abs(a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> IfLess(
        Vector128<float> a, Vector128<float> b, Vector128<float> x, Vector128<float> y) =>
        Vector128.ConditionalSelect(Vector128.LessThan(a, b), x, y);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> CopySign(Vector128<float> a, Vector128<float> b) =>
        Vector128.ConditionalSelect(Vector128.Create(-0f), b, a);

    [MethodImpl(SimdOptions.Inline)]
    public static Vector128<float> HalfPowerOfTwo(Vector128<float> shifted) =>
        ((shifted.AsInt32() << 23) + Vector128.Create(126 << 23)).AsSingle();

    [MethodImpl(SimdOptions.Inline)]
    public static float Sum(Vector128<float> a) => (a.GetElement(0) + a.GetElement(2)) + (a.GetElement(1) + a.GetElement(3));

    [MethodImpl(SimdOptions.Inline)]
    public static float Largest(Vector128<float> a) => Math.Max(Math.Max(a.GetElement(0), a.GetElement(2)), Math.Max(a.GetElement(1), a.GetElement(3)));

    [MethodImpl(SimdOptions.Loop)]
    public static double SumOfSquares(float* source, int count)
    {
        Vector128<double> low = Vector128<double>.Zero;
        Vector128<double> high = Vector128<double>.Zero;
        for (int i = 0; i < count; i += Width)
        {
            (Vector128<double> a, Vector128<double> b) = Vector128.Widen(Vector128.Load(source + i));
            low += a * a;
            high += b * b;
        }

        return Vector128.Sum(low + high);
    }
}
