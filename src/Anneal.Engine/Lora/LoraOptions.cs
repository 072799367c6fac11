using Anneal.Engine.Architectures;

namespace Anneal.Engine.Lora;

/// <summary>
/// Low-rank adaptation (Hu et al. 2021) of linear layers: y = x·Wᵀ + scale · (dropout(x)·Aᵀ)·Bᵀ with A [rank, inputs],
/// B [outputs, rank] and scale = alpha / rank, or alpha / √rank (Kalajdzievski 2023).
/// </summary>
public sealed record LoraOptions
{
    /// <summary>Rank where <see cref="RankPattern"/> does not say otherwise.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Numerator of the scale where <see cref="AlphaPattern"/> does not say otherwise.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>Adapted layers by their short names, for example <c>q_proj</c>.</summary>
    public IReadOnlyList<string> Targets { get; init; } = AllTargets;

    /// <summary>Probability with which an input element of the adapter's path is dropped in training; in [0, 1).</summary>
    public float Dropout { get; init; }

    /// <summary>Whether the scale is alpha / √rank.</summary>
    public bool RankStabilized { get; init; }

    /// <summary>Ranks of layers whose module name ends with the key (a regular expression, as PEFT has it).</summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init; } = new Dictionary<string, int>();

    /// <summary>Alphas likewise.</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern { get; init; } = new Dictionary<string, double>();

    /// <summary>All linear layers of a block.</summary>
    public static IReadOnlyList<string> AllTargets { get; } =
        [.. Enum.GetValues<Projection>().Select(DecoderConfig.ShortName)];

    /// <summary>Reads <c>all</c>, or names separated by commas.</summary>
    /// <exception cref="ArgumentException">A name that is no adaptable layer; the message lists those.</exception>
    public static IReadOnlyList<string> ParseTargets(string text) => text.Trim() is "all" or "all-linear"
        ? AllTargets
        : RequireTargets(text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Checks every option.</summary>
    /// <exception cref="ArgumentException">The option, its value, and what is possible.</exception>
    public void Validate()
    {
        if (Rank is < 1 or > 4096)
        {
            throw new ArgumentException($"The LoRA rank is {Rank}; 1 to 4096 is possible.");
        }

        if (!(Alpha > 0) || !double.IsFinite(Alpha))
        {
            throw new ArgumentException($"LoRA alpha is {Alpha}; a positive number is wanted.");
        }

        if (!(Dropout >= 0 && Dropout < 1))
        {
            throw new ArgumentException($"LoRA dropout is {Dropout}; 0 up to but not including 1 is possible.");
        }

        RequireTargets(Targets);
    }

    private static IReadOnlyList<string> RequireTargets(IReadOnlyList<string> targets)
    {
        string? unknown = targets.FirstOrDefault(t => !AllTargets.Contains(t, StringComparer.Ordinal));
        return targets.Count > 0 && unknown is null
            ? targets
            : throw new ArgumentException(
                $"LoRA target '{unknown}' is not supported; possible are all, or any of {string.Join(", ", AllTargets)}.");
    }
}
