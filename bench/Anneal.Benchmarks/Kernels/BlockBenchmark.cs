using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;
using BenchmarkDotNet.Attributes;

namespace Anneal.Benchmarks.Kernels;

/// <summary>Everything else of a block of the 124m shape over 1024 tokens in four segments, and the optimizer on its head.</summary>
public class BlockBenchmark : KernelBenchmark
{
    private const int Tokens = 1024;
    private const int Hidden = 768;
    private const int Inner = 2048;
    private const int Vocabulary = 32000;

    private readonly AttentionShape _shape = new(12, 12, 64, 0.125f);
    private readonly int[] _segments = [0, 256, 512, 768, 1024];
    private readonly int[] _targets = new int[Tokens];
    private readonly int[] _predicted = new int[Tokens];
    private readonly float[] _logProbabilities = new float[Tokens];
    private readonly float[] _coefficients = new float[Tokens];
    private Tensor _x, _y, _q, _k, _v, _dx, _dk, _dv, _lse, _norm, _dNorm, _rstd, _gate, _up, _inner, _head, _dHead, _first, _second;

    [Benchmark]
    public void AttentionForward() => Compute.AttentionForward(_y, _lse, _q, _k, _v, _segments, _shape);

    [Benchmark]
    public void AttentionBackward() =>
        Compute.AttentionBackward(_dx, _dk, _dv, _x, _y, _lse, _q, _k, _v, _segments, _shape);

    [Benchmark]
    public void RmsNormForward() => Compute.RmsNormForward(_y, _rstd, _x, _norm, 1e-5f);

    [Benchmark]
    public void RmsNormBackward() => Compute.RmsNormBackward(_dx, _dNorm, _y, _x, _rstd, _norm, accumulate: false);

    [Benchmark]
    public void GatedMlpForward() => Compute.GatedMlpForward(_inner, _gate, _up, Activation.Silu);

    [Benchmark]
    public void Dropout() => Compute.Dropout(_y, _x, 0.1f, 1, 1);

    [Benchmark]
    public void HeadForwardBackward() => Compute.TokenLoss(
        _logProbabilities, _predicted, _dx, _dHead, _x, _head, _targets, _coefficients);

    [Benchmark]
    public void AdamW() => Compute.AdamW(_head, _dHead, _first, _second, new AdamWStep(1e-9, 0.9, 0.999, 1e-8, 0, 1, 1));

    [Benchmark]
    public double SumOfSquares() => Compute.SumOfSquares(_dHead);

    protected override void Prepare()
    {
        (_x, _y, _q, _k, _v) = (Make(Tokens, Hidden), Make(Tokens, Hidden), Make(Tokens, Hidden), Make(Tokens, Hidden), Make(Tokens, Hidden));
        (_dx, _dk, _dv, _lse) = (Make(Tokens, Hidden), Make(Tokens, Hidden), Make(Tokens, Hidden), Make(12, Tokens));
        (_norm, _dNorm, _rstd) = (Make(1, Hidden), Make(1, Hidden), Make(Tokens, 1));
        (_gate, _up, _inner) = (Make(Tokens, Inner), Make(Tokens, Inner), Make(Tokens, Inner));
        (_head, _dHead, _first) = (Make(Vocabulary, Hidden), Make(Vocabulary, Hidden), Make(Vocabulary, Hidden));
        Compute.AttentionForward(_y, _lse, _q, _k, _v, _segments, _shape);
        _second = Make(Vocabulary, Hidden);
        Compute.Fill(_second, 0.01f);
        Array.Fill(_coefficients, -1f / Tokens);
    }
}
