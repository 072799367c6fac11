namespace Anneal.Jobs.Sqlite;

/// <content>Jobs and events as the user sees them.</content>
public sealed partial class SqliteStore
{
    /// <inheritdoc/>
    public override Task<Submission> SubmitAsync(NewJob job, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                if (job.IdempotencyKey is { } key && FindEarlier(session, key) is { } earlier)
                {
                    return earlier;
                }

                if (FindMissing(session, job) is { } missing)
                {
                    return missing;
                }

                Job stored = InsertJob(session, job);
                if (job.IdempotencyKey is { } newKey)
                {
                    session.Execute(
                        "AddIdempotencyKey",
                        ("key", newKey.Key), ("request_hash", newKey.RequestHash), ("job_id", stored.Id), ("now", Now));
                }

                AppendMessage(session, stored.Id, EventLevel.Info, JobMessages.Created(stored.Id));
                AppendMessage(
                    session, stored.Id, EventLevel.Info, JobMessages.Validating(stored.TrainingFile, stored.ValidationFile));
                return new Submission(SubmissionOutcome.Created, stored);
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<Job?> GetJobAsync(string id, CancellationToken cancellation) =>
        _database.ReadAsync(s => s.One("GetJob", Rows.Job, ("id", id)), cancellation);

    /// <inheritdoc/>
    public override Task<Page<Job>?> ListJobsAsync(
        string? after, int limit, MetadataFilter? filter, CancellationToken cancellation)
    {
        CheckLimit(limit);
        return _database.ReadAsync(
            session =>
            {
                long? place = after is null ? long.MaxValue : session.Integer("JobOrdinal", ("id", after));
                return place is null
                    ? null
                    : Cut(
                        session.All(
                            "ListJobs",
                            Rows.Job,
                            ("after", place), ("none", filter?.None ?? false),
                            ("pairs", Rows.WriteMap(filter?.Pairs) ?? "{}"), ("limit", limit)),
                        limit);
            },
            cancellation);
    }

    /// <inheritdoc/>
    public override Task<JobChange> CancelAsync(string id, CancellationToken cancellation) =>
        MoveAsync(
            id,
            "CancelJob",
            (session, job) =>
            {
                AppendMessage(session, job.Id, EventLevel.Info, JobMessages.Cancelled);
                DropRunStates(session, job.Id, keep: 0);
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<JobChange> PauseAsync(string id, CancellationToken cancellation) =>
        MoveAsync(
            id, "PauseJob", (s, job) => AppendMessage(s, job.Id, EventLevel.Info, JobMessages.Paused), cancellation);

    /// <inheritdoc/>
    public override Task<JobChange> ResumeAsync(string id, CancellationToken cancellation) =>
        MoveAsync(
            id, "ResumeJob", (s, job) => AppendMessage(s, job.Id, EventLevel.Info, JobMessages.Resumed), cancellation);

    /// <inheritdoc/>
    public override Task<Job?> NextToValidateAsync(CancellationToken cancellation) =>
        _database.ReadAsync(s => s.One("NextToValidate", Rows.Job), cancellation);

    /// <inheritdoc/>
    public override Task<Job?> AcceptFilesAsync(string id, string hyperparametersJson, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                Job? job = session.One(
                    "AcceptFiles", Rows.Job, ("id", id), ("hyperparameters", hyperparametersJson), ("now", Now));
                if (job is not null)
                {
                    AppendMessage(session, id, EventLevel.Info, JobMessages.Validated);
                }

                return job;
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<Job?> RejectFilesAsync(string id, JobError error, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                Job? job = session.One(
                    "RejectFiles",
                    Rows.Job,
                    ("id", id), ("now", Now), ("code", error.Code), ("message", error.Message), ("param", error.Param));
                if (job is not null)
                {
                    AppendMessage(session, id, EventLevel.Error, error.Message);
                }

                return job;
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<Page<JobEvent>?> ListEventsAsync(
        string jobId, string? after, int limit, CancellationToken cancellation)
    {
        CheckLimit(limit);
        return _database.ReadAsync(
            session =>
            {
                long? place = after is null
                    ? long.MaxValue
                    : session.Integer("EventSequence", ("id", after), ("job_id", jobId));
                return place is null
                    ? null
                    : Cut(
                        session.All("ListEvents", Rows.Event, ("job_id", jobId), ("after", place), ("limit", limit)),
                        limit);
            },
            cancellation);
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<JobEvent>> ListEventsSinceAsync(
        string jobId, long sequence, int limit, CancellationToken cancellation)
    {
        CheckLimit(limit);
        return _database.ReadAsync<IReadOnlyList<JobEvent>>(
            s => s.All("ListEventsSince", Rows.Event, ("job_id", jobId), ("sequence", sequence), ("limit", limit)),
            cancellation);
    }

    private Submission? FindEarlier(SqliteSession session, IdempotencyKey key)
    {
        long since = (_time.GetUtcNow() - Limits.IdempotencyKeyLife).Milliseconds();
        session.Execute("PruneIdempotencyKeys", ("since", since));
        var found = session.One(
            "FindIdempotencyKey",
            row => Tuple.Create(row.GetString(0), row.GetString(1)),
            ("key", key.Key), ("since", since));
        if (found is null)
        {
            return null;
        }

        return found.Item1 == key.RequestHash
            ? new Submission(SubmissionOutcome.Replayed, session.One("GetJob", Rows.Job, ("id", found.Item2)))
            : new Submission(SubmissionOutcome.KeyReused, null);
    }

    private Submission? FindMissing(SqliteSession session, NewJob job)
    {
        foreach (string? file in (string?[])[job.TrainingFile, job.ValidationFile])
        {
            if (file is not null && session.One("GetFile", Rows.File, ("id", file), ("now", Now)) is null)
            {
                return new Submission(SubmissionOutcome.FileMissing, null, file);
            }
        }

        // Base models are no rows; a model that is not its own base is a tuned one.
        return job.Model != job.BaseModel && session.One("GetModel", Rows.Model, ("name", job.Model)) is null
            ? new Submission(SubmissionOutcome.ModelMissing, null, job.Model)
            : null;
    }

    private Job InsertJob(SqliteSession session, NewJob job) => session.One(
        "SubmitJob",
        Rows.Job,
        ("id", Ids.Job()), ("model", job.Model), ("base_model", job.BaseModel),
        ("model_name", Ids.ModelName(job.BaseModel, job.OrganizationSlug, job.Suffix)), ("now", Now),
        ("training_file", job.TrainingFile), ("validation_file", job.ValidationFile), ("suffix", job.Suffix),
        ("seed", job.Seed), ("method_type", job.MethodType), ("hyperparameters", job.HyperparametersJson),
        ("integrations", job.IntegrationsJson), ("metadata", Rows.WriteMap(job.Metadata)))!;

    private Task<JobChange> MoveAsync(
        string id, string statement, Action<SqliteSession, Job> after, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                Job? moved = session.One(statement, Rows.Job, ("id", id), ("now", Now));
                if (moved is not null)
                {
                    after(session, moved);
                    return new JobChange(JobChangeOutcome.Changed, moved);
                }

                Job? standing = session.One("GetJob", Rows.Job, ("id", id));
                return new JobChange(
                    standing is null ? JobChangeOutcome.NotFound : JobChangeOutcome.WrongStatus, standing);
            },
            cancellation);
}
