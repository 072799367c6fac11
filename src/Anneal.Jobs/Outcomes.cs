namespace Anneal.Jobs;

/// <summary>How a submission went.</summary>
public enum SubmissionOutcome
{
    /// <summary>The job is stored.</summary>
    Created,

    /// <summary>The idempotency key was used before for the same request: this is the job of that time, as it stands now.</summary>
    Replayed,

    /// <summary>The idempotency key was used before for another request. Nothing is stored.</summary>
    KeyReused,

    /// <summary>The training or validation file does not exist or has expired. Nothing is stored.</summary>
    FileMissing,

    /// <summary>The tuned model to start from does not exist any more. Nothing is stored.</summary>
    ModelMissing,
}

/// <summary>The answer to a submission.</summary>
/// <param name="Outcome">How it went.</param>
/// <param name="Job">The job when it exists, else null.</param>
/// <param name="MissingId">The id of the missing file or model, else null.</param>
public sealed record Submission(SubmissionOutcome Outcome, Job? Job, string? MissingId = null);

/// <summary>How a user's change of a job went.</summary>
public enum JobChangeOutcome
{
    /// <summary>Done.</summary>
    Changed,

    /// <summary>There is no such job.</summary>
    NotFound,

    /// <summary>The job's status does not allow it; the job is unchanged.</summary>
    WrongStatus,
}

/// <summary>The answer to cancel, pause and resume.</summary>
/// <param name="Outcome">How it went.</param>
/// <param name="Job">The job as it stands now; null when there is none.</param>
public sealed record JobChange(JobChangeOutcome Outcome, Job? Job);

/// <summary>How a deletion went.</summary>
public enum DeletionOutcome
{
    /// <summary>Deleted.</summary>
    Deleted,

    /// <summary>There is no such thing.</summary>
    NotFound,

    /// <summary>A job that is not terminal needs it; nothing was deleted.</summary>
    InUse,
}

/// <summary>The answer to a deletion.</summary>
/// <param name="Outcome">How it went.</param>
/// <param name="JobId">A job that needs the thing, when <see cref="DeletionOutcome.InUse"/>; else null.</param>
public sealed record Deletion(DeletionOutcome Outcome, string? JobId = null);

/// <summary>Which jobs a list shows, by their metadata.</summary>
/// <param name="Pairs">Every one of these must be there, with exactly this value. Empty: no condition.</param>
/// <param name="None">True: only jobs without any metadata, and <paramref name="Pairs"/> is empty.</param>
public sealed record MetadataFilter(IReadOnlyDictionary<string, string> Pairs, bool None);
