using System.Globalization;

namespace Anneal.Jobs;

/// <summary>The texts of the events that a job's moves write, word for word as clients know them from upstream.</summary>
public static class JobMessages
{
    /// <summary>The first event of every job.</summary>
    public static string Created(string jobId) => $"Created fine-tuning job: {jobId}";

    /// <summary>The second event.</summary>
    public static string Validating(string trainingFile, string? validationFile) => validationFile is null
        ? $"Validating training file: {trainingFile}"
        : $"Validating training file: {trainingFile} and validation file: {validationFile}";

    /// <summary>Into the queue.</summary>
    public const string Validated = "Files validated, moving job to queued state";

    /// <summary>The first claim.</summary>
    public const string Started = "Fine-tuning job started";

    /// <summary>A later claim, which goes on from a run state.</summary>
    public static string Continued(int step) =>
        string.Create(CultureInfo.InvariantCulture, $"Fine-tuning job continues from step {step}");

    /// <summary>A later claim, when no run state had been saved.</summary>
    public const string Restarted = "Fine-tuning job starts again from the beginning";

    /// <summary>A dead worker, and another attempt.</summary>
    public static string WorkerLost(int stepReached, string reason) => string.Create(
        CultureInfo.InvariantCulture, $"The worker stopped unexpectedly after step {stepReached} ({reason}); the job goes on");

    /// <summary>Too many dead workers at one step.</summary>
    public static string WorkerLostTooOften(int times, int stepReached, string reason) => string.Create(
        CultureInfo.InvariantCulture,
        $"The job failed because its worker stopped unexpectedly {times} times without getting beyond step {stepReached}. " +
        $"The last time: {reason}");

    /// <summary>By the user.</summary>
    public const string Paused = "The job was paused";

    /// <summary>By the user.</summary>
    public const string Resumed = "The job was resumed, moving job to queued state";

    /// <summary>By the user.</summary>
    public const string Cancelled = "The job was cancelled";

    /// <summary>After training, for each kept checkpoint but the last.</summary>
    public static string CheckpointCreated(int step, string modelName) => string.Create(
        CultureInfo.InvariantCulture, $"Checkpoint created at step {step} with Snapshot ID: {modelName}");

    /// <summary>After the checkpoints.</summary>
    public static string ModelCreated(string modelName) => $"New fine-tuned model created: {modelName}";

    /// <summary>The last event of a job that succeeded.</summary>
    public const string Succeeded = "The job has successfully completed";
}
