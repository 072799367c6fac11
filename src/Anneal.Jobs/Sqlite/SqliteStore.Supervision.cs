namespace Anneal.Jobs.Sqlite;

/// <content>What happens to runs whose worker is gone.</content>
public sealed partial class SqliteStore
{
    /// <inheritdoc/>
    public override Task<Job?> BuryAsync(Lease lease, string reason, CancellationToken cancellation) =>
        ChangeAsync(
            session => EndRun(session, lease, RunEnding.Lost) ? TakeAway(session, lease, reason) : null, cancellation);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<Run>> ListExpiredRunsAsync(CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<Run>>(s => s.All("ListExpiredRuns", Rows.Run, ("now", Now)), cancellation);

    /// <inheritdoc/>
    public override Task<Job?> RescueAsync(Lease lease, string reason, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                bool ended = session.Execute(
                    "EndExpiredRun", ("run_id", lease.RunId), ("fence", lease.Fence), ("now", Now)) == 1;
                return ended ? TakeAway(session, lease, reason) : null;
            },
            cancellation);

    /// <inheritdoc/>
    public override Task ExtendLeasesAsync(TimeSpan extension, CancellationToken cancellation) =>
        ChangeAsync(
            s => s.Execute("ExtendLeases", ("until", (_time.GetUtcNow() + extension).Milliseconds())), cancellation);

    /// <summary>
    /// Takes the job from a run that has just ended as lost. Returns the job as it stands then, whatever it was before: a
    /// cancelled job's run ends here too, without any effect on the job.
    /// </summary>
    private Job TakeAway(SqliteSession session, Lease lease, string reason)
    {
        Job before = session.One("GetJob", Rows.Job, ("id", lease.JobId))!;
        string failure = JobMessages.WorkerLostTooOften(Limits.CrashesAtSameStepMax, before.StepReached, reason);
        Job? running = session.One(
            "BuryRunningJob",
            Rows.Job,
            ("job_id", lease.JobId), ("run_id", lease.RunId), ("fence", lease.Fence), ("now", Now),
            ("max", Limits.CrashesAtSameStepMax), ("delay", (long)Limits.RestartDelay.TotalMilliseconds),
            ("message", failure));
        if (running is { Status: JobStatus.Failed })
        {
            AppendMessage(session, running.Id, EventLevel.Error, failure);
            DropRunStates(session, running.Id, keep: 0);
            return running;
        }

        if (running is not null)
        {
            AppendMessage(session, running.Id, EventLevel.Warn, JobMessages.WorkerLost(running.StepReached, reason));
            return running;
        }

        // Paused, or resumed while the worker was letting go: the death changes nothing but frees the job.
        Job? standing = session.One(
            "ReleaseJob",
            Rows.Job,
            ("job_id", lease.JobId), ("run_id", lease.RunId), ("fence", lease.Fence), ("now", Now));
        return standing ?? before;
    }
}
