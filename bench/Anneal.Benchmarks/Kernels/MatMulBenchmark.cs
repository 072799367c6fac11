using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;
using BenchmarkDotNet.Attributes;

namespace Anneal.Benchmarks.Kernels;

/// <summary>The products of one linear layer of the 124m shape: 1024 tokens, 768 → 2048, LoRA of rank 16, one token.</summary>
public class MatMulBenchmark : KernelBenchmark
{
    private const int Tokens = 1024;
    private const int In = 768;
    private const int Out = 2048;
    private const int Rank = 16;

    private Tensor _x, _y, _w, _narrow, _dw, _a, _b, _z;

    [Benchmark]
    public void Forward() => Compute.MatMul(_y, _x, _w, MatMulLayout.NT);

    [Benchmark]
    public void ForwardBf16() => Compute.MatMul(_y, _x, _narrow, MatMulLayout.NT);

    [Benchmark]
    public void InputGradient() => Compute.MatMul(_x, _y, _w, MatMulLayout.NN, 1e-3f);

    [Benchmark]
    public void WeightGradient() => Compute.MatMul(_dw, _y, _x, MatMulLayout.TN, 1e-3f, accumulate: true);

    [Benchmark]
    public void LoraDown() => Compute.MatMul(_z, _x, _a, MatMulLayout.NT);

    [Benchmark]
    public void LoraUp() => Compute.MatMul(_y, _z, _b, MatMulLayout.NT, 1e-3f, accumulate: true);

    [Benchmark]
    public void OneToken() => Compute.MatMul(_y.SliceRows(0, 1), _x.SliceRows(0, 1), _w, MatMulLayout.NT);

    [Benchmark]
    public void EightTokens() => Compute.MatMul(_y.SliceRows(0, 8), _x.SliceRows(0, 8), _narrow, MatMulLayout.NT);

    protected override void Prepare()
    {
        (_x, _y, _w, _dw) = (Make(Tokens, In), Make(Tokens, Out), Make(Out, In), Make(Out, In));
        (_a, _b, _z, _narrow) = (Make(Rank, In), Make(Out, Rank), Make(Tokens, Rank), MakeBf16(Out, In));
    }
}
