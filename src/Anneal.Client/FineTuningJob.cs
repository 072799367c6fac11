using System.Text.Json.Serialization;

namespace Anneal.Client;

/// <summary>A fine-tuning job.</summary>
public sealed record FineTuningJob
{
    /// <summary>Id, <c>ftjob-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>When it was created.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ended; null while it has not.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When it is expected to end, by the throughput measured so far; null when not known.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public DateTimeOffset? EstimatedFinish { get; init; }

    /// <summary>The base model.</summary>
    public required string Model { get; init; }

    /// <summary>The tuned model's name; null until the job has succeeded.</summary>
    public string? FineTunedModel { get; init; }

    /// <summary>How far it is.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>Id of the training file.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>Id of the validation file.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>Ids of the files with metrics; empty until the job has succeeded.</summary>
    public IReadOnlyList<string> ResultFiles { get; init; } = [];

    /// <summary>Tokens of the training file times epochs; null until the job has succeeded.</summary>
    public long? TrainedTokens { get; init; }

    /// <summary>Why it failed; null or without a message unless it did.</summary>
    public JobError? Error { get; init; }

    /// <summary>The hyperparameters: numbers once the service has chosen them.</summary>
    public Hyperparameters? Hyperparameters { get; init; }

    /// <summary>Seed of everything random in it.</summary>
    public long? Seed { get; init; }

    /// <summary>The method and its hyperparameters.</summary>
    public TrainingMethod? Method { get; init; }

    /// <summary>What the creator noted.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The suffix asked for; services other than Anneal may leave it out.</summary>
    public string? UserProvidedSuffix { get; init; }
}

/// <summary>Why a job failed.</summary>
public sealed record JobError
{
    /// <summary>Machine-readable cause.</summary>
    public string? Code { get; init; }

    /// <summary>For people.</summary>
    public string? Message { get; init; }

    /// <summary>The field of the job that is at fault, such as <c>training_file</c>.</summary>
    public string? Param { get; init; }
}

/// <summary>Hyperparameters of supervised training.</summary>
public sealed record Hyperparameters
{
    /// <summary>How often the whole file is trained on.</summary>
    [JsonConverter(typeof(AutoOrIntConverter))]
    public AutoOr<int>? NEpochs { get; init; }

    /// <summary>Examples of one step.</summary>
    [JsonConverter(typeof(AutoOrIntConverter))]
    public AutoOr<int>? BatchSize { get; init; }

    /// <summary>Factor on the service's own learning rate.</summary>
    [JsonConverter(typeof(AutoOrDoubleConverter))]
    public AutoOr<double>? LearningRateMultiplier { get; init; }
}

/// <summary>A training method: its name and the part with that name.</summary>
public sealed record TrainingMethod
{
    /// <summary>Name of the method, such as <c>supervised</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Settings when <see cref="Type"/> is <c>supervised</c>.</summary>
    public SupervisedMethod? Supervised { get; init; }

    /// <summary>Supervised training.</summary>
    /// <param name="hyperparameters">Its hyperparameters; null leaves all to the service.</param>
    public static TrainingMethod ForSupervised(Hyperparameters? hyperparameters = null) =>
        new() { Type = "supervised", Supervised = new SupervisedMethod { Hyperparameters = hyperparameters } };
}

/// <summary>Settings of supervised training.</summary>
public sealed record SupervisedMethod
{
    /// <summary>Hyperparameters; null leaves all to the service.</summary>
    public Hyperparameters? Hyperparameters { get; init; }
}

/// <summary>How far a job is. Values unknown to this version are kept as they are.</summary>
/// <param name="Value">The word on the wire.</param>
[JsonConverter(typeof(JobStatusConverter))]
public readonly record struct JobStatus(string Value)
{
    /// <summary>The files are being checked.</summary>
    public static JobStatus ValidatingFiles { get; } = new("validating_files");

    /// <summary>Waiting for a worker.</summary>
    public static JobStatus Queued { get; } = new("queued");

    /// <summary>Training.</summary>
    public static JobStatus Running { get; } = new("running");

    /// <summary>Stopped until it is resumed.</summary>
    public static JobStatus Paused { get; } = new("paused");

    /// <summary>Done: the tuned model can be used.</summary>
    public static JobStatus Succeeded { get; } = new("succeeded");

    /// <summary>Ended by an error.</summary>
    public static JobStatus Failed { get; } = new("failed");

    /// <summary>Ended by its owner.</summary>
    public static JobStatus Cancelled { get; } = new("cancelled");

    /// <summary>True when the job will not change any more.</summary>
    [JsonIgnore]
    public bool IsFinal => this == Succeeded || this == Failed || this == Cancelled;

    /// <summary>The word on the wire.</summary>
    public override string ToString() => Value ?? "";
}

internal sealed class JobStatusConverter() : OpenValueConverter<JobStatus>(word => new(word), value => value.Value);
