using System.Runtime.CompilerServices;
using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Simd;

namespace Anneal.Engine.Kernels;

/// <summary>
/// AdamW on one vector: a parameter, b gradient, c first and d second moment. Memory-bound: 16 bytes read and 12 written for some
/// twelve operations.
/// </summary>
internal readonly unsafe struct AdamWOperation : IElementWise
{
    /// <summary>The step's scalars, corrections folded in, each rounded to single precision once.</summary>
    public static Factors Prepare(in AdamWStep step)
    {
        double firstCorrection = 1 - Math.Pow(step.Beta1, step.Step);
        double secondCorrection = 1 - Math.Pow(step.Beta2, step.Step);
        return new Factors(
            F0: (float)step.GradientScale,
            F1: (float)(1 - step.Beta1),
            F2: (float)(1 - step.Beta2),
            F3: (float)(1 / Math.Sqrt(secondCorrection)),
            F4: (float)step.Epsilon,
            F5: (float)(-step.LearningRate / firstCorrection),
            F6: (float)(-step.LearningRate * step.WeightDecay));
    }

    [MethodImpl(SimdOptions.Inline)]
    public static void Step<TSimd, TVec>(in Factors factors, float* a, float* b, float* c, float* d, float* e)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // Moments move towards the gradient: m += (1 − β)(g − m) keeps the small factor exact where β·m + (1 − β)·g would
        // round β first.
        TVec g = TSimd.Multiply(TSimd.Load(b), TSimd.Broadcast(factors.F0));
        TVec m = TSimd.Load(c);
        TVec v = TSimd.Load(d);
        m = TSimd.MultiplyAdd(TSimd.Subtract(g, m), TSimd.Broadcast(factors.F1), m);
        v = TSimd.MultiplyAdd(TSimd.Subtract(TSimd.Multiply(g, g), v), TSimd.Broadcast(factors.F2), v);
        TSimd.Store(m, c);
        TSimd.Store(v, d);
        TVec root = TSimd.MultiplyAdd(
            TSimd.SquareRoot(v), TSimd.Broadcast(factors.F3), TSimd.Broadcast(factors.F4));
        TVec p = TSimd.Load(a);
        p = TSimd.MultiplyAdd(p, TSimd.Broadcast(factors.F6), p);
        p = TSimd.MultiplyAdd(TSimd.Divide(m, root), TSimd.Broadcast(factors.F5), p);
        TSimd.Store(p, a);
    }
}
