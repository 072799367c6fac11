namespace Anneal.Engine.Compute;

/// <summary>The widths that the kernels exist in. One that the processor lacks can be forced all the same: emulated, right and slow.</summary>
public enum InstructionSet
{
    /// <summary>One float at a time.</summary>
    Scalar,

    /// <summary>128 bits: SSE, NEON.</summary>
    Vector128,

    /// <summary>256 bits: AVX2.</summary>
    Vector256,

    /// <summary>512 bits: AVX-512.</summary>
    Vector512,
}

/// <summary>What this processor has.</summary>
public static class InstructionSets
{
    /// <summary>The environment variable that forces a width: scalar, vector128, vector256 or vector512.</summary>
    public const string Variable = "ANNEAL_SIMD";

    /// <summary>The widest one that this processor accelerates.</summary>
    public static InstructionSet Best =>
        System.Runtime.Intrinsics.Vector512.IsHardwareAccelerated ? InstructionSet.Vector512
        : System.Runtime.Intrinsics.Vector256.IsHardwareAccelerated ? InstructionSet.Vector256
        : System.Runtime.Intrinsics.Vector128.IsHardwareAccelerated ? InstructionSet.Vector128
        : InstructionSet.Scalar;

    /// <summary>All that run on this processor, narrowest first.</summary>
    public static IEnumerable<InstructionSet> Available => Enum.GetValues<InstructionSet>().Where(s => s <= Best);

    /// <summary>The set that the environment forces, or null.</summary>
    /// <exception cref="ArgumentException">The variable holds another word; the message lists those that are known.</exception>
    public static InstructionSet? Forced()
    {
        string? word = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(word))
        {
            return null;
        }

        return Enum.TryParse(word, ignoreCase: true, out InstructionSet set) && Enum.IsDefined(set) && !char.IsDigit(word[0])
            ? set
            : throw new ArgumentException(
                $"{Variable} is \"{word}\"; it can be {string.Join(", ", Enum.GetNames<InstructionSet>()).ToLowerInvariant()}.");
    }
}
