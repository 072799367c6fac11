using Anneal.Engine.Lora;

namespace Anneal.Engine.Methods;

/// <summary>How a supervised run trains.</summary>
public sealed record SupervisedOptions
{
    /// <summary>Train an adapter of this shape; null: train every weight.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Go on from this adapter in PEFT's format; its shape replaces that of <see cref="Lora"/>, its dropout too.</summary>
    public string? AdapterFolder { get; init; }

    /// <summary>Times every example is seen.</summary>
    public int Epochs { get; init; } = 3;

    /// <summary>Examples of a step; an epoch's last step has what is left.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 2e-4;

    /// <summary>How the rate goes after warm-up.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Linear;

    /// <summary>Steps over which the rate rises from 0.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Decay norm weights and biases too; by default only matrices decay.</summary>
    public bool DecayEverything { get; init; }

    /// <summary>Largest Euclidean norm of the gradient; 0: no clipping.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decay of AdamW's first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of AdamW's second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of AdamW's second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Seed of initialisation, shuffles and dropout.</summary>
    public ulong Seed { get; init; }

    /// <summary>Shuffle the examples anew in each epoch.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Steps between evaluations of one validation batch; 0: only whole evaluations, at the end of each epoch.</summary>
    public int ValidationInterval { get; init; }

    /// <summary>Memory that the run may take, weights included.</summary>
    public long MemoryBytes { get; init; } = 4L << 30;

    /// <summary>Throws if a value makes no sense.</summary>
    /// <exception cref="ArgumentException">Names the option, the value and what would be right.</exception>
    public void Validate()
    {
        Require(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");
        Require(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Require(double.IsFinite(LearningRate) && LearningRate >= 0, nameof(LearningRate), LearningRate, "a number from 0");
        Require(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "0 or more");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "a number from 0");
        Require(double.IsFinite(ClipNorm) && ClipNorm >= 0, nameof(ClipNorm), ClipNorm, "a number from 0 (0: no clipping)");
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "from 0 to below 1");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "from 0 to below 1");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
        Require(ValidationInterval >= 0, nameof(ValidationInterval), ValidationInterval, "0 or more");
        Require(MemoryBytes > 0, nameof(MemoryBytes), MemoryBytes, "above 0");
    }

    private static void Require(bool condition, string name, IFormattable value, string right)
    {
        if (!condition)
        {
            throw new ArgumentException(FormattableString.Invariant($"{name} is {value}; it should be {right}."));
        }
    }
}
