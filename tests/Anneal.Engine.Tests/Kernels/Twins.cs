using Anneal.Engine.Compute;
using Anneal.Engine.Kernels.Reference;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Kernels;

/// <summary>The processor's kernels beside the reference loops.</summary>
internal sealed class Twins : IDisposable
{
    /// <summary>Half of the distance between 1 and the next float: the largest relative error of one rounding.</summary>
    public const double Ulp = 5.9604644775390625e-8;

    public Twins(InstructionSet set, int threads) =>
        Fast = new CpuCompute(new ComputeOptions { InstructionSet = set, Threads = threads });

    public ReferenceCompute Slow { get; } = new();

    public CpuCompute Fast { get; }

    /// <summary>Every width, also those that this processor can only emulate, with one thread and with more than it has.</summary>
    public static TheoryData<InstructionSet, int> All()
    {
        TheoryData<InstructionSet, int> data = [];
        foreach (InstructionSet set in Enum.GetValues<InstructionSet>())
        {
            data.Add(set, 1);
            data.Add(set, 3);
        }

        return data;
    }

    /// <summary>Compares element by element; on failure says where, how far apart and how far allowed.</summary>
    /// <param name="what">Name of the result and its shape.</param>
    /// <param name="expected">From the reference loops.</param>
    /// <param name="actual">From the kernel.</param>
    /// <param name="relative">Allowed error in proportion to the expected magnitude.</param>
    /// <param name="absolute">Allowed error besides.</param>
    public static void Near(string what, GuardedTensor expected, GuardedTensor actual, double relative, double absolute)
    {
        Tensor shape = expected.Tensor;
        for (int r = 0; r < shape.Rows; r++)
        {
            for (int c = 0; c < shape.Columns; c++)
            {
                double error = Math.Abs((double)expected[r, c] - actual[r, c]);
                double allowed = (relative * Math.Abs(expected[r, c])) + absolute;
                if (!(error <= allowed))
                {
                    Assert.Fail($"{what} [{r}, {c}]: expected {expected[r, c]:R}, got {actual[r, c]:R}, error {error:E2}, allowed {allowed:E2}");
                }
            }
        }

        actual.AssertBordersIntact();
    }

    public void Dispose() => Fast.Dispose();
}
