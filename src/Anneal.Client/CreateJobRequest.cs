namespace Anneal.Client;

/// <summary>A job to be created.</summary>
public sealed record CreateJobRequest
{
    /// <summary>Base model, or a tuned model to go on from.</summary>
    public required string Model { get; init; }

    /// <summary>Id of a file with purpose <see cref="FilePurpose.FineTune"/>.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>Id of a file to measure on.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>Becomes part of the tuned model's name; 1 to 64 characters.</summary>
    public string? Suffix { get; init; }

    /// <summary>Seed of everything random; null lets the service draw one.</summary>
    public long? Seed { get; init; }

    /// <summary>Method and hyperparameters; null for supervised training with everything left to the service.</summary>
    public TrainingMethod? Method { get; init; }

    /// <summary>Notes: at most 16, names up to 64 and values up to 512 characters.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
