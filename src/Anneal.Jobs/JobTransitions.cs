namespace Anneal.Jobs;

/// <summary>
/// The one table of legal status changes. The stores' schemas repeat it as a trigger and
/// <c>docs/state-machine.md</c> draws it; a test compares the three.
/// </summary>
public static class JobTransitions
{
    /// <summary>Every legal change of status, with the reason it exists.</summary>
    public static IReadOnlyList<(JobStatus From, JobStatus To, string Why)> All { get; } =
    [
        (JobStatus.ValidatingFiles, JobStatus.Queued, "files validated"),
        (JobStatus.ValidatingFiles, JobStatus.Failed, "files rejected"),
        (JobStatus.ValidatingFiles, JobStatus.Cancelled, "cancel"),
        (JobStatus.Queued, JobStatus.Running, "claimed by a worker"),
        (JobStatus.Queued, JobStatus.Paused, "pause"),
        (JobStatus.Queued, JobStatus.Cancelled, "cancel"),
        (JobStatus.Running, JobStatus.Queued, "worker lost or stopped"),
        (JobStatus.Running, JobStatus.Paused, "pause"),
        (JobStatus.Running, JobStatus.Succeeded, "finished"),
        (JobStatus.Running, JobStatus.Failed, "failed"),
        (JobStatus.Running, JobStatus.Cancelled, "cancel"),
        (JobStatus.Paused, JobStatus.Queued, "resume"),
        (JobStatus.Paused, JobStatus.Cancelled, "cancel"),
    ];

    /// <summary>True when <see cref="All"/> contains the change.</summary>
    public static bool IsLegal(JobStatus from, JobStatus to) => All.Any(t => t.From == from && t.To == to);

    /// <summary>True for the three statuses that nothing leaves.</summary>
    public static bool IsTerminal(this JobStatus status) =>
        status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled;
}
