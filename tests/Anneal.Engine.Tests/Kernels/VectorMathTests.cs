using System.Runtime.Intrinsics;
using Anneal.Engine.Kernels.Reference;
using Anneal.Engine.Kernels.Simd;

namespace Anneal.Engine.Tests.Kernels;

/// <summary>The errors that <see cref="VectorMath"/> states, looked for over all magnitudes.</summary>
public sealed class VectorMathTests
{
    [Fact]
    public void Exponentials_are_good_to_two_ulp()
    {
        AssertUlps(2, -86, 88.7, Math.Exp, x => VectorMath.Exp<SimdScalar, float>(x));
        AssertUlps(2, -86, 88.7, Math.Exp, x => VectorMath.Exp<Simd256, Vector256<float>>(Vector256.Create(x))[3]);
    }

    [Fact]
    public void Sigmoids_are_good_to_four_ulp() =>
        AssertUlps(4, -80, 80, x => 1 / (1 + Math.Exp(-x)), x => VectorMath.Sigmoid<SimdScalar, float>(x));

    [Fact]
    public void Tanh_is_good_to_four_ulp()
    {
        AssertUlps(4, -12, 12, Math.Tanh, x => VectorMath.Tanh<SimdScalar, float>(x));
        AssertUlps(4, -1e-3, 1e-3, Math.Tanh, x => VectorMath.Tanh<SimdScalar, float>(x));
    }

    [Fact]
    public void Normal_probabilities_are_as_good_as_stated()
    {
        AssertRelative(5e-7, -1, 9, Cumulative, x => VectorMath.Normal<SimdScalar, float>(x).Cumulative);
        AssertRelative(6e-6, -12, -1, Cumulative, x => VectorMath.Normal<SimdScalar, float>(x).Cumulative);
    }

    [Theory]
    [InlineData(float.NaN, float.NaN)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity, 0)]
    [InlineData(1e30f, float.PositiveInfinity)]
    [InlineData(-1e30f, 0)]
    [InlineData(-87f, 0)]
    [InlineData(0f, 1)]
    [InlineData(1e-42f, 1)]
    public void Exponentials_of_the_ends_of_the_scale(float x, float expected)
    {
        Assert.Equal(expected, VectorMath.Exp<SimdScalar, float>(x));
        Assert.Equal(expected, VectorMath.Exp<Simd128, Vector128<float>>(Vector128.Create(x))[0]);
        Assert.Equal(expected, VectorMath.Exp<Simd256, Vector256<float>>(Vector256.Create(x))[0]);
        Assert.Equal(expected, VectorMath.Exp<Simd512, Vector512<float>>(Vector512.Create(x))[0]);
    }

    [Fact]
    public unsafe void Every_binary16_number_widens_exactly_in_every_width()
    {
        ushort* bits = stackalloc ushort[16];
        for (int i = 0; i <= ushort.MaxValue; i++)
        {
            new Span<ushort>(bits, 16).Fill((ushort)i);
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            Assert.Equal(expected, Simd128.LoadF16(bits)[0]);
            Assert.Equal(expected, Simd256.LoadF16(bits)[5]);
            Assert.Equal(expected, Simd512.LoadF16(bits)[13]);
            Assert.Equal(expected, SimdScalar.LoadF16(bits));
        }
    }

    private static double Cumulative(double x) => 0.5 * ReferenceCompute.ComplementaryError(-x / Math.Sqrt(2));

    private static void AssertUlps(double most, double low, double high, Func<double, double> exact, Func<float, float> fast)
    {
        for (int i = 0; i <= 200_000; i++)
        {
            float x = (float)(low + ((high - low) * i / 200_000));
            double expected = exact(x);
            double ulp = MathF.BitIncrement((float)Math.Abs(expected)) - (float)Math.Abs(expected);
            double error = Math.Abs(fast(x) - expected) / ulp;
            Assert.True(error <= most, $"at {x:R}: {error:F2} ulp");
        }
    }

    private static void AssertRelative(double most, double low, double high, Func<double, double> exact, Func<float, float> fast)
    {
        for (int i = 0; i <= 200_000; i++)
        {
            float x = (float)(low + ((high - low) * i / 200_000));
            double error = Math.Abs((fast(x) / exact(x)) - 1);
            Assert.True(error <= most, $"at {x:R}: {error:E2}");
        }
    }
}
