using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;
using BenchmarkDotNet.Attributes;

namespace Anneal.Benchmarks.Kernels;

/// <summary>A device, an arena and numbers in it: what the benchmarks of kernels share.</summary>
[MemoryDiagnoser]
public abstract class KernelBenchmark : IDisposable
{
    private ulong _made;

    /// <summary>Threads of the device; 0 is all.</summary>
    [Params(1, 0)]
    public int Threads { get; set; }

    protected CpuCompute Compute { get; private set; } = null!;

    private Arena Memory { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        Compute = new CpuCompute(new ComputeOptions { Threads = Threads });
        Memory = Compute.CreateArena(1L << 30);
        Prepare();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        Memory?.Dispose();
        Compute?.Dispose();
        GC.SuppressFinalize(this);
    }

    protected abstract void Prepare();

    protected Tensor Make(int rows, int columns)
    {
        Tensor made = Memory.Allocate(rows, columns);
        Span<float> values = made.AsSpan<float>();
        _made++;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Philox.UniformAt(1, _made, (ulong)i) - 0.5f;
        }

        return made;
    }

    protected Tensor MakeBf16(int rows, int columns)
    {
        Tensor made = Memory.Allocate(rows, columns, DType.BF16);
        Compute.Copy(made, Make(rows, columns));
        return made;
    }
}
