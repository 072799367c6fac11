namespace Anneal.Jobs;

/// <summary>
/// A fine-tuning job as the user created it and as it stands now. Times have millisecond resolution; the wire shows seconds.
/// Hyperparameters are kept as JSON text because their meaning belongs to the training methods, which this project does not know.
/// </summary>
public sealed record Job
{
    /// <summary><c>ftjob-</c> and 24 letters and digits.</summary>
    public required string Id { get; init; }

    /// <summary>The model to tune, as a resolved id: a base model, or a tuned one to go on from.</summary>
    public required string Model { get; init; }

    /// <summary>The base model under <see cref="Model"/>; the same id when <see cref="Model"/> is itself a base.</summary>
    public required string BaseModel { get; init; }

    /// <summary>
    /// The name that the tuned model will have: <c>ft:{base}:{org}:{suffix}:{id8}</c>, chosen at submission so that a
    /// repeated finish gives the same name. Not shown before success; see <see cref="FineTunedModel"/>.
    /// </summary>
    public required string ReservedModelName { get; init; }

    /// <summary>Where the job stands.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>When the job was accepted.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a worker first took the job; null before.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the job became terminal; null before, never null after.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Id of the training file.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>Id of the validation file, if any.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>The user's suffix for the model name, if any.</summary>
    public string? Suffix { get; init; }

    /// <summary>Seed of shuffles, initialisation and dropout; chosen at submission when the user gave none.</summary>
    public required long Seed { get; init; }

    /// <summary>Training method: <c>supervised</c>.</summary>
    public required string MethodType { get; init; }

    /// <summary>A JSON object; values are numbers or <c>"auto"</c>. All are numbers once the job is <see cref="JobStatus.Queued"/>.</summary>
    public required string HyperparametersJson { get; init; }

    /// <summary>A JSON array as the user gave it; <c>[]</c> when there are none.</summary>
    public required string IntegrationsJson { get; init; }

    /// <summary>The user's own key-value pairs; null when none were given.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Tokens trained on, all epochs together; null until the job succeeded.</summary>
    public long? TrainedTokens { get; init; }

    /// <summary>The tuned model's name; null until the job succeeded.</summary>
    public string? FineTunedModel { get; init; }

    /// <summary>Ids of result files; empty until the job succeeded.</summary>
    public required IReadOnlyList<string> ResultFiles { get; init; }

    /// <summary>Why the job failed; null unless <see cref="JobStatus.Failed"/>.</summary>
    public JobError? Error { get; init; }

    /// <summary>
    /// When the worker expects to be done, from its measured speed; null unless running. It may lie in the past when the
    /// worker is late: whoever shows it must compare with the clock.
    /// </summary>
    public DateTimeOffset? EstimatedFinish { get; init; }

    /// <summary>The run that holds the job now, or held it last and has not been detached; null otherwise.</summary>
    public string? RunId { get; init; }

    /// <summary>How often the job was claimed: the fencing token of the current run. 0 before the first claim.</summary>
    public required long Fence { get; init; }

    /// <summary>The highest step that any run has reported; 0 before the first.</summary>
    public required int StepReached { get; init; }

    /// <summary>How many workers died in a row without the job getting beyond <see cref="StepReached"/>.</summary>
    public required int CrashCount { get; init; }
}

/// <summary>Why a job failed.</summary>
/// <param name="Code">Machine-readable, for example <c>invalid_training_file</c>. Not empty.</param>
/// <param name="Message">For people: what is wrong, where, and what would be right. Not empty.</param>
/// <param name="Param">The request field at fault, for example <c>training_file</c>, or null.</param>
public sealed record JobError(string Code, string Message, string? Param);

/// <summary>What a user asks for: the input of <see cref="JobStore.SubmitAsync"/>. Fields as in <see cref="Job"/>.</summary>
public sealed record NewJob
{
    /// <inheritdoc cref="Job.Model"/>
    public required string Model { get; init; }

    /// <inheritdoc cref="Job.BaseModel"/>
    public required string BaseModel { get; init; }

    /// <summary>The organisation's part of the model name.</summary>
    public string OrganizationSlug { get; init; } = "personal";

    /// <inheritdoc cref="Job.TrainingFile"/>
    public required string TrainingFile { get; init; }

    /// <inheritdoc cref="Job.ValidationFile"/>
    public string? ValidationFile { get; init; }

    /// <inheritdoc cref="Job.Suffix"/>
    public string? Suffix { get; init; }

    /// <inheritdoc cref="Job.Seed"/>
    public required long Seed { get; init; }

    /// <inheritdoc cref="Job.MethodType"/>
    public string MethodType { get; init; } = "supervised";

    /// <inheritdoc cref="Job.HyperparametersJson"/>
    public required string HyperparametersJson { get; init; }

    /// <inheritdoc cref="Job.IntegrationsJson"/>
    public string IntegrationsJson { get; init; } = "[]";

    /// <inheritdoc cref="Job.Metadata"/>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Makes a repeated submission return the first one's job; null when the client sent no key.</summary>
    public IdempotencyKey? IdempotencyKey { get; init; }
}

/// <summary>A client's promise that two requests with the same key are one request.</summary>
/// <param name="Key">What the client sent, prefixed with whatever scopes it (the API key's id).</param>
/// <param name="RequestHash">Hash of the request body; the same key with another hash is a client's mistake.</param>
public sealed record IdempotencyKey(string Key, string RequestHash);
