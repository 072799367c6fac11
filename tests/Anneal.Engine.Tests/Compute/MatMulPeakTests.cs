using Anneal.Engine.Compute;

namespace Anneal.Engine.Tests.Compute;

public sealed class MatMulPeakTests
{
    [Fact]
    public void Every_layout_of_every_size_has_a_rate()
    {
        using CpuCompute compute = new(new ComputeOptions { Threads = 2 });
        IReadOnlyList<MatMulRate> rates = MatMulPeak.Measure(compute, 0.01, [64, 100]);
        Assert.Equal(6, rates.Count);
        Assert.Equal(6, rates.Select(r => (r.Layout, r.Size)).Distinct().Count());
        Assert.All(rates, r => Assert.InRange(r.GigaflopsPerSecond, 1e-3, 1e6));
    }

    [Fact]
    public void A_size_that_would_take_too_long_is_left_out()
    {
        using CpuCompute compute = new(new ComputeOptions { Threads = 1, InstructionSet = InstructionSet.Scalar });
        IReadOnlyList<MatMulRate> rates = MatMulPeak.Measure(compute, 1e-6, [64, 20_000]);
        Assert.All(rates, r => Assert.Equal(64, r.Size));
    }
}
