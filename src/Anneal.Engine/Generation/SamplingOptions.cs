namespace Anneal.Engine.Generation;

/// <summary>How the next token is drawn from the logits. The defaults draw from the model's own distribution.</summary>
/// <remarks>
/// Applied in this order: logit bias, repetition penalty, frequency and presence penalty, temperature, top-k, top-p, min-p,
/// typical-p. Each filter works on what the one before left, renormalised.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Logits are divided by it. 0: always the largest logit, the lowest id on ties.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Nucleus sampling (Holtzman et al. 2020): a token stays while the mass above it is below this. 1: off.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Keeps the k largest logits and everything equal to the k-th. 0: off.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps tokens whose probability is at least this share of the largest. 0: off.</summary>
    public float MinP { get; init; }

    /// <summary>Locally typical sampling (Meister et al. 2023): mass kept, nearest to the entropy first. 1: off.</summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>Subtracted once for each time a token was generated.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Subtracted once if a token was generated at all.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Logits of ids seen in prompt or output: negative ones times this, others divided by it. 1: off.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Makes the draws reproducible. Absent: a fresh seed for every request.</summary>
    public long? Seed { get; init; }

    /// <summary>Added to the logits of single ids before anything else.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }
}
