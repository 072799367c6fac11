namespace Anneal.Engine.Compute;

/// <summary>How the processor uses the machine.</summary>
public sealed record ComputeOptions
{
    /// <summary>Threads, the caller's included; 0: one for each processor that this process may use.</summary>
    public int Threads { get; init; }

    /// <summary>Width of the kernels; null: what <c>ANNEAL_SIMD</c> says, else the widest there is.</summary>
    public InstructionSet? InstructionSet { get; init; }
}
