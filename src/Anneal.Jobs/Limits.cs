namespace Anneal.Jobs;

/// <summary>Every limit of the service that is not a user's setting, in one place. Numbers end in their unit.</summary>
public static class Limits
{
    /// <summary>Largest file accepted by one upload request: 512 MB, as upstream.</summary>
    public const long FileBytesMax = 512L * 1024 * 1024;

    /// <summary>Fewest examples of a training file.</summary>
    public const int TrainingExamplesMin = 10;

    /// <summary>Most metadata pairs of a job.</summary>
    public const int MetadataPairsMax = 16;

    /// <summary>Longest metadata key.</summary>
    public const int MetadataKeyCharsMax = 64;

    /// <summary>Longest metadata value.</summary>
    public const int MetadataValueCharsMax = 512;

    /// <summary>Longest suffix of a model name.</summary>
    public const int SuffixCharsMax = 64;

    /// <summary>Most integrations of a job.</summary>
    public const int IntegrationsMax = 5;

    /// <summary>Longest event message; longer ones are cut by whoever writes them.</summary>
    public const int EventMessageCharsMax = 8 * 1024;

    /// <summary>Most events in one batch of a worker.</summary>
    public const int EventBatchMax = 1000;

    /// <summary>Most items of one page of any list.</summary>
    public const int PageItemsMax = 10_000;

    /// <summary>Epoch checkpoints kept by a job; older ones are dropped.</summary>
    public const int CheckpointsKeptMax = 3;

    /// <summary>Run states kept by a job: the newest, and the one before in case the newest is damaged.</summary>
    public const int RunStatesKeptMax = 2;

    /// <summary>Workers that may die at the same step before the job fails.</summary>
    public const int CrashesAtSameStepMax = 3;

    /// <summary>Longest log kept of one worker's standard error.</summary>
    public const long WorkerLogBytesMax = 1024 * 1024;

    /// <summary>
    /// Wait before a job is claimed again after its second death at a step, so that a passing shortage can pass; the first
    /// restart is immediate.
    /// </summary>
    public static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(5);

    /// <summary>How long an idempotency key is remembered.</summary>
    public static readonly TimeSpan IdempotencyKeyLife = TimeSpan.FromHours(24);

    /// <summary>A blob that nothing refers to is removed once it is this old; an upload in progress is younger.</summary>
    public static readonly TimeSpan OrphanBlobAge = TimeSpan.FromHours(24);
}
