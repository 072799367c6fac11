namespace Anneal.Jobs.Sqlite;

/// <content>The worker's side. Every write begins with a guarded statement; when its guard misses, nothing is written.</content>
public sealed partial class SqliteStore
{
    /// <inheritdoc/>
    public override Task<ClaimedRun?> ClaimAsync(string tokenHash, TimeSpan lease, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                string runId = Ids.Run();
                Job? job = session.One("ClaimJob", Rows.Job, ("run_id", runId), ("now", Now));
                if (job is null)
                {
                    return null;
                }

                Run run = session.One(
                    "AddRun",
                    Rows.Run,
                    ("id", runId), ("job_id", job.Id), ("fence", job.Fence), ("token_hash", tokenHash), ("now", Now),
                    ("lease_expires_at", (_time.GetUtcNow() + lease).Milliseconds()))!;
                AppendMessage(session, job.Id, EventLevel.Info, StartMessage(session, job));
                return new ClaimedRun(run, job);
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<Run?> FindRunAsync(string tokenHash, CancellationToken cancellation) =>
        _database.ReadAsync(s => s.One("FindRun", Rows.Run, ("token_hash", tokenHash)), cancellation);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<Run>> ListActiveRunsAsync(CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<Run>>(s => s.All("ListActiveRuns", Rows.Run), cancellation);

    /// <inheritdoc/>
    public override Task<RunDirective> HeartbeatAsync(
        Lease lease, TimeSpan extension, RunProgress progress, CancellationToken cancellation) =>
        _database.WriteAsync(
            session =>
            {
                string? status = session.Text(
                    "ReportProgress",
                    ("job_id", lease.JobId), ("run_id", lease.RunId), ("fence", lease.Fence), ("step", progress.Step),
                    ("estimated_finish", progress.EstimatedFinish?.Milliseconds()));
                if (status is not null)
                {
                    session.Execute(
                        "ExtendLease",
                        ("run_id", lease.RunId), ("fence", lease.Fence),
                        ("until", (_time.GetUtcNow() + extension).Milliseconds()));
                }

                return Directive(status);
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<RunDirective> AppendEventsAsync(
        Lease lease, IReadOnlyList<RunEvent> events, CancellationToken cancellation)
    {
        if (events.Count > Limits.EventBatchMax)
        {
            throw new ArgumentException("More events than one batch may have.", nameof(events));
        }

        return ChangeAsync(
            session =>
            {
                RunDirective directive = Guard(session, lease, events.Max(e => e.Step) ?? 0);
                if (directive != RunDirective.Stop)
                {
                    StoreEvents(session, lease, events);
                }

                return directive;
            },
            cancellation);
    }

    /// <inheritdoc/>
    public override Task<Checkpoint?> SaveCheckpointAsync(
        Lease lease, NewCheckpoint checkpoint, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                if (Guard(session, lease, checkpoint.Step) == RunDirective.Stop)
                {
                    return null;
                }

                Checkpoint? earlier = session.One(
                    "GetCheckpointAtStep", Rows.Checkpoint, ("job_id", lease.JobId), ("step", checkpoint.Step));
                if (earlier is not null)
                {
                    if (earlier.Id != checkpoint.Id)
                    {
                        DropBlobs(session, checkpoint.Files.Select(f => f.BlobKey));
                    }

                    return earlier;
                }

                return InsertCheckpoint(session, lease.JobId, checkpoint);
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<RunDirective> SaveRunStateAsync(
        Lease lease, RunStateRef state, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                RunDirective directive = Guard(session, lease, state.Step);
                if (directive != RunDirective.Stop)
                {
                    DropBlobs(session, session.All(
                        "DeleteRunStateAtStep", Rows.First, ("job_id", lease.JobId), ("step", state.Step)));
                    session.Execute(
                        "AddRunState",
                        ("job_id", lease.JobId), ("step", state.Step), ("blob_key", state.BlobKey),
                        ("bytes", state.Bytes), ("sha256", state.Sha256), ("now", Now));
                    DropRunStates(session, lease.JobId, Limits.RunStatesKeptMax);
                }

                return directive;
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<RunStateRef>> ListRunStatesAsync(string jobId, CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<RunStateRef>>(
            s => s.All("ListRunStates", Rows.RunState, ("job_id", jobId)), cancellation);

    /// <inheritdoc/>
    public override Task<Job?> FinishAsync(
        Lease lease, long trainedTokens, StoredFile resultFile, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                Job? job = session.One(
                    "FinishJob",
                    Rows.Job,
                    ("job_id", lease.JobId), ("run_id", lease.RunId), ("fence", lease.Fence), ("now", Now),
                    ("trained_tokens", trainedTokens), ("result_file", resultFile.Id));
                if (job is null)
                {
                    return RepeatedReport(session, lease);
                }

                InsertFile(session, resultFile);
                AnnounceModels(session, job);
                EndRun(session, lease, RunEnding.Finished);
                DropRunStates(session, job.Id, keep: 0);
                return job;
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<Job?> FailAsync(Lease lease, JobError error, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                Job? job = session.One(
                    "FailJob",
                    Rows.Job,
                    ("job_id", lease.JobId), ("run_id", lease.RunId), ("fence", lease.Fence), ("now", Now),
                    ("code", error.Code), ("message", error.Message), ("param", error.Param));
                if (job is null)
                {
                    return RepeatedReport(session, lease);
                }

                AppendMessage(session, job.Id, EventLevel.Error, error.Message);
                EndRun(session, lease, RunEnding.Finished);
                DropRunStates(session, job.Id, keep: 0);
                return job;
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<bool> ReleaseAsync(Lease lease, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                if (!EndRun(session, lease, RunEnding.Released))
                {
                    return false;
                }

                session.One(
                    "ReleaseJob",
                    Rows.Job,
                    ("job_id", lease.JobId), ("run_id", lease.RunId), ("fence", lease.Fence), ("now", Now));
                return true;
            },
            cancellation);

    private static RunDirective Guard(SqliteSession session, Lease lease, int step) => Directive(session.Text(
        "ReachStep", ("job_id", lease.JobId), ("run_id", lease.RunId), ("fence", lease.Fence), ("step", step)));

    /// <summary>What the status of the job that a run still holds means for its worker; null when it holds none.</summary>
    private static RunDirective Directive(string? status) => status switch
    {
        "running" => RunDirective.Continue,
        // Resumed before the worker let go: it lets go all the same, and the next claim goes on.
        "paused" or "queued" => RunDirective.Pause,
        _ => RunDirective.Stop,
    };

    private static string StartMessage(SqliteSession session, Job job)
    {
        if (job.Fence == 1)
        {
            return JobMessages.Started;
        }

        RunStateRef? state = session.One("ListRunStates", Rows.RunState, ("job_id", job.Id));
        return state is null ? JobMessages.Restarted : JobMessages.Continued(state.Step);
    }

    private void StoreEvents(SqliteSession session, Lease lease, IReadOnlyList<RunEvent> events)
    {
        long last = session.Integer("GetRunLastEvent", ("run_id", lease.RunId)) ?? 0;
        foreach (RunEvent e in events)
        {
            if (e.RunSequence <= last)
            {
                continue;
            }

            last = e.RunSequence;
            bool seen = e.Step is { } step
                && session.Integer("HasStepEvent", ("job_id", lease.JobId), ("step", step)) == 1;
            if (!seen)
            {
                AppendEvent(session, lease.JobId, e.Level, e.Message, e.Step, e.DataJson);
            }
        }

        session.Execute("SetRunLastEvent", ("run_id", lease.RunId), ("last_event", last));
    }

    private Checkpoint InsertCheckpoint(SqliteSession session, string jobId, NewCheckpoint checkpoint)
    {
        Job job = session.One("GetJob", Rows.Job, ("id", jobId))!;
        string name = checkpoint.IsFinal
            ? job.ReservedModelName
            : Ids.CheckpointModelName(job.ReservedModelName, checkpoint.Step);
        Checkpoint stored = session.One(
            "AddCheckpoint",
            Rows.Checkpoint,
            ("id", checkpoint.Id), ("job_id", jobId), ("step", checkpoint.Step), ("is_final", checkpoint.IsFinal),
            ("model_name", name), ("now", Now), ("metrics", checkpoint.MetricsJson),
            ("files", Rows.WriteBlobs(checkpoint.Files)))!;
        if (!checkpoint.IsFinal)
        {
            session.Execute("AddModel", ("name", name), ("checkpoint_id", checkpoint.Id), ("now", Now));
        }

        var surplus = session.All(
            "ListSurplusCheckpoints",
            row => (Id: row.GetString(0), Name: row.GetString(1)),
            ("job_id", jobId), ("keep", Limits.CheckpointsKeptMax));
        foreach ((string id, string modelName) in surplus)
        {
            DropCheckpointBlobs(session, id);
            session.Execute("DeleteModelByName", ("name", modelName));
            session.Execute("DeleteCheckpoint", ("id", id));
        }

        return stored;
    }

    private void AnnounceModels(SqliteSession session, Job job)
    {
        List<Checkpoint> newestFirst = session.All(
            "ListCheckpoints",
            Rows.Checkpoint,
            ("job_id", job.Id), ("after", long.MaxValue), ("limit", Limits.PageItemsMax));
        foreach (Checkpoint checkpoint in Enumerable.Reverse(newestFirst))
        {
            if (checkpoint.ModelName == job.ReservedModelName)
            {
                session.Execute("AddModel", ("name", checkpoint.ModelName), ("checkpoint_id", checkpoint.Id), ("now", Now));
            }
            else
            {
                AppendMessage(
                    session, job.Id, EventLevel.Info,
                    JobMessages.CheckpointCreated(checkpoint.Step, checkpoint.ModelName));
            }
        }

        AppendMessage(session, job.Id, EventLevel.Info, JobMessages.ModelCreated(job.ReservedModelName));
        AppendMessage(session, job.Id, EventLevel.Info, JobMessages.Succeeded);
    }

    /// <summary>The answer to a report whose first answer was lost on its way: the job, if this very run ended it.</summary>
    private static Job? RepeatedReport(SqliteSession session, Lease lease)
    {
        Run? run = session.One("GetRun", Rows.Run, ("id", lease.RunId));
        return run is { Ending: RunEnding.Finished } && run.Lease == lease
            ? session.One("GetJob", Rows.Job, ("id", lease.JobId))
            : null;
    }

    private bool EndRun(SqliteSession session, Lease lease, RunEnding ending) => session.Execute(
        "EndRun",
        ("run_id", lease.RunId), ("fence", lease.Fence), ("now", Now),
        ("ending", ending == RunEnding.Finished ? "finished" : ending == RunEnding.Released ? "released" : "lost")) == 1;

    private static void DropRunStates(SqliteSession session, string jobId, int keep) =>
        DropBlobs(session, session.All("DeleteSurplusRunStates", Rows.First, ("job_id", jobId), ("keep", keep)));
}
