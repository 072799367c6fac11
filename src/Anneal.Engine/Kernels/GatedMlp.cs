using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Kernels;

/// <summary>An activation function and its derivative.</summary>
internal interface IActivation
{
    static abstract TVec Value<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;

    static abstract (TVec Value, TVec Slope) ValueAndSlope<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>y = act(gate) · up and its gradients, one pass each: 12 bytes moved an element forward, 20 backward.</summary>
internal static class GatedMlp
{
    public static void Forward<TSimd, TVec>(WorkerPool pool, Tensor y, Tensor gate, Tensor up, Activation activation)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        switch (activation)
        {
            case Activation.Silu:
                ElementWise.Apply<TSimd, TVec, GatedForward<Silu>>(pool, default, y, gate, up);
                break;
            case Activation.Gelu:
                ElementWise.Apply<TSimd, TVec, GatedForward<Gelu>>(pool, default, y, gate, up);
                break;
            default:
                ElementWise.Apply<TSimd, TVec, GatedForward<GeluTanh>>(pool, default, y, gate, up);
                break;
        }
    }

    public static void Backward<TSimd, TVec>(
        WorkerPool pool, Tensor dGate, Tensor dUp, Tensor dy, Tensor gate, Tensor up, Activation activation)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        switch (activation)
        {
            case Activation.Silu:
                ElementWise.Apply<TSimd, TVec, GatedBackward<Silu>>(pool, default, dGate, dUp, dy, gate, up);
                break;
            case Activation.Gelu:
                ElementWise.Apply<TSimd, TVec, GatedBackward<Gelu>>(pool, default, dGate, dUp, dy, gate, up);
                break;
            default:
                ElementWise.Apply<TSimd, TVec, GatedBackward<GeluTanh>>(pool, default, dGate, dUp, dy, gate, up);
                break;
        }
    }

    /// <summary>a = act(b) · c.</summary>
    private readonly unsafe struct GatedForward<TActivation> : IElementWise
        where TActivation : struct, IActivation
    {
        [MethodImpl(SimdOptions.Inline)]
        public static void Step<TSimd, TVec>(in Factors factors, float* a, float* b, float* c, float* d, float* e)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct =>
            TSimd.Store(TSimd.Multiply(TActivation.Value<TSimd, TVec>(TSimd.Load(b)), TSimd.Load(c)), a);
    }

    /// <summary>a = dGate and b = dUp from c = dy, d = gate, e = up; everything is read before anything is written.</summary>
    private readonly unsafe struct GatedBackward<TActivation> : IElementWise
        where TActivation : struct, IActivation
    {
        [MethodImpl(SimdOptions.Inline)]
        public static void Step<TSimd, TVec>(in Factors factors, float* a, float* b, float* c, float* d, float* e)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            TVec dy = TSimd.Load(c);
            TVec up = TSimd.Load(e);
            (TVec value, TVec slope) = TActivation.ValueAndSlope<TSimd, TVec>(TSimd.Load(d));
            TSimd.Store(TSimd.Multiply(TSimd.Multiply(dy, up), slope), a);
            TSimd.Store(TSimd.Multiply(dy, value), b);
        }
    }

    private readonly struct Silu : IActivation
    {
        [MethodImpl(SimdOptions.Inline)]
        public static TVec Value<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Multiply(x, VectorMath.Sigmoid<TSimd, TVec>(x));

        [MethodImpl(SimdOptions.Inline)]
        public static (TVec Value, TVec Slope) ValueAndSlope<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            // (x σ)' = σ + x σ (1 − σ)
            TVec sigmoid = VectorMath.Sigmoid<TSimd, TVec>(x);
            TVec value = TSimd.Multiply(x, sigmoid);
            return (value, TSimd.MultiplyAdd(value, TSimd.Subtract(TSimd.Broadcast(1f), sigmoid), sigmoid));
        }
    }

    private readonly struct Gelu : IActivation
    {
        [MethodImpl(SimdOptions.Inline)]
        public static TVec Value<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Multiply(x, VectorMath.Normal<TSimd, TVec>(x).Cumulative);

        [MethodImpl(SimdOptions.Inline)]
        public static (TVec Value, TVec Slope) ValueAndSlope<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            // (x Φ)' = Φ + x φ
            const float inverseRootTwoPi = 0.398942280f;
            (TVec cumulative, TVec bell) = VectorMath.Normal<TSimd, TVec>(x);
            TVec density = TSimd.Multiply(bell, TSimd.Broadcast(inverseRootTwoPi));
            return (TSimd.Multiply(x, cumulative), TSimd.MultiplyAdd(x, density, cumulative));
        }
    }

    private readonly struct GeluTanh : IActivation
    {
        private const float RootTwoOverPi = 0.797884561f;
        private const float Cubic = 0.044715f;

        [MethodImpl(SimdOptions.Inline)]
        public static TVec Value<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Multiply(x, Gate<TSimd, TVec>(x));

        [MethodImpl(SimdOptions.Inline)]
        public static (TVec Value, TVec Slope) ValueAndSlope<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            // With s = σ(2u) = (1 + tanh u) / 2: (x s)' = s + x · 2 s (1 − s) u'.
            TVec gate = Gate<TSimd, TVec>(x);
            TVec one = TSimd.Broadcast(1f);
            TVec square = TSimd.Multiply(x, x);
            TVec inner = TSimd.Multiply(
                TSimd.Broadcast(2 * RootTwoOverPi), TSimd.MultiplyAdd(square, TSimd.Broadcast(3 * Cubic), one));
            TVec value = TSimd.Multiply(x, gate);
            TVec bend = TSimd.Multiply(TSimd.Multiply(value, TSimd.Subtract(one, gate)), inner);
            return (value, TSimd.Add(gate, bend));
        }

        /// <summary>(1 + tanh u) / 2 = σ(2u), u = √(2/π) (x + 0.044715 x³): no cancellation for negative x.</summary>
        [MethodImpl(SimdOptions.Inline)]
        private static TVec Gate<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            TVec cubic = TSimd.MultiplyAdd(TSimd.Multiply(x, x), TSimd.Broadcast(Cubic), TSimd.Broadcast(1f));
            TVec doubled = TSimd.Multiply(TSimd.Multiply(x, TSimd.Broadcast(2 * RootTwoOverPi)), cubic);
            return VectorMath.Sigmoid<TSimd, TVec>(doubled);
        }
    }
}
