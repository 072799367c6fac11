namespace Anneal.Jobs;

/// <summary>
/// Where a job stands. The legal moves between these are in <see cref="JobTransitions"/>; the picture is
/// <c>docs/state-machine.md</c>. The wire names are given by <see cref="JobStatusNames"/>.
/// </summary>
public enum JobStatus
{
    /// <summary>Accepted and stored; the training and validation files are being checked. No worker exists.</summary>
    ValidatingFiles,

    /// <summary>Files are good, hyperparameters are numbers; the job waits for a worker.</summary>
    Queued,

    /// <summary>A worker holds the job's lease, or held it until it died and the rescuer has not looked yet.</summary>
    Running,

    /// <summary>Stopped by the user; keeps its run state and waits for a resume.</summary>
    Paused,

    /// <summary>Terminal: the tuned model exists.</summary>
    Succeeded,

    /// <summary>Terminal: the job's <see cref="Job.Error"/> says why.</summary>
    Failed,

    /// <summary>Terminal: stopped by the user for good.</summary>
    Cancelled,
}

/// <summary>The names of <see cref="JobStatus"/> on the wire and in the database.</summary>
public static class JobStatusNames
{
    /// <summary>The wire name: <c>validating_files</c>, <c>queued</c> and so on.</summary>
    public static string ToName(this JobStatus status) => status switch
    {
        JobStatus.ValidatingFiles => "validating_files",
        JobStatus.Queued => "queued",
        JobStatus.Running => "running",
        JobStatus.Paused => "paused",
        JobStatus.Succeeded => "succeeded",
        JobStatus.Failed => "failed",
        JobStatus.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Not a job status."),
    };

    /// <summary>The status with this wire name.</summary>
    /// <exception cref="FormatException">No status has this name.</exception>
    public static JobStatus Parse(string name) => name switch
    {
        "validating_files" => JobStatus.ValidatingFiles,
        "queued" => JobStatus.Queued,
        "running" => JobStatus.Running,
        "paused" => JobStatus.Paused,
        "succeeded" => JobStatus.Succeeded,
        "failed" => JobStatus.Failed,
        "cancelled" => JobStatus.Cancelled,
        _ => throw new FormatException($"'{name}' is not a job status."),
    };
}
