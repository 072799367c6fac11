namespace Anneal.Jobs;

/// <summary>
/// Everything that must survive a crash, as verbs. Each verb is one transaction: when its task completes the change is on
/// disk, and when the process dies before that nothing has changed. Expected refusals are values (null, false or an outcome);
/// exceptions are for a broken disk or a bug. All members may be called from many threads at once.
/// </summary>
/// <remarks>
/// A seam with one implementation for each database; it belongs to this service alone and may change freely.
/// Lists are keyset pages, newest first unless said otherwise: <c>after</c> is the id of the last item seen, and a list
/// verb returns null when no item has that id. <c>limit</c> is 1 to <see cref="Limits.PageItemsMax"/>.
/// </remarks>
public abstract class JobStore : IAsyncDisposable
{
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Completes at the next change made through this object. Take it, read, then await it (with a timeout, because another
    /// process may change things too): nothing is missed, because a change after the read completes the task already taken.
    /// </summary>
    public Task Changed => _changed.Task;

    // ---- Files ----------------------------------------------------------------------------------------------------

    /// <summary>Records a file whose blob is already stored.</summary>
    public abstract Task AddFileAsync(StoredFile file, CancellationToken cancellation);

    /// <summary>The file, or null when there is none or it has expired.</summary>
    public abstract Task<StoredFile?> GetFileAsync(string id, CancellationToken cancellation);

    /// <summary>
    /// A file of a job that is not terminal, even when the file's time is over; null when the job is terminal or the file is
    /// not one of its own.
    /// </summary>
    public abstract Task<StoredFile?> GetJobFileAsync(string jobId, string fileId, CancellationToken cancellation);

    /// <summary>A page of files that have not expired.</summary>
    /// <param name="purpose">Only files of this purpose; null for all.</param>
    /// <param name="after">Id of the last file seen, or null for the first page.</param>
    /// <param name="limit">Most items.</param>
    /// <param name="oldestFirst">Reverses the order.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Null when <paramref name="after"/> is unknown.</returns>
    public abstract Task<Page<StoredFile>?> ListFilesAsync(
        string? purpose, string? after, int limit, bool oldestFirst, CancellationToken cancellation);

    /// <summary>Deletes a file and drops its blob, unless a job that is not terminal uses it.</summary>
    public abstract Task<Deletion> DeleteFileAsync(string id, CancellationToken cancellation);

    /// <summary>Deletes files whose time is over and which no job uses any more. Returns how many.</summary>
    public abstract Task<int> DeleteExpiredFilesAsync(CancellationToken cancellation);

    // ---- Jobs, the user's side ------------------------------------------------------------------------------------

    /// <summary>
    /// Stores a new job in <see cref="JobStatus.ValidatingFiles"/> together with its first two events. With an idempotency
    /// key seen during the last <see cref="Limits.IdempotencyKeyLife"/> nothing is stored and the earlier job is returned.
    /// </summary>
    public abstract Task<Submission> SubmitAsync(NewJob job, CancellationToken cancellation);

    /// <summary>The job, or null.</summary>
    public abstract Task<Job?> GetJobAsync(string id, CancellationToken cancellation);

    /// <summary>A page of jobs.</summary>
    /// <param name="after">Id of the last job seen, or null for the first page.</param>
    /// <param name="limit">Most items.</param>
    /// <param name="filter">Which jobs; null for all.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Null when <paramref name="after"/> is unknown.</returns>
    public abstract Task<Page<Job>?> ListJobsAsync(
        string? after, int limit, MetadataFilter? filter, CancellationToken cancellation);

    /// <summary>
    /// Moves the job to <see cref="JobStatus.Cancelled"/> from any status that is not terminal. From this moment its worker can
    /// write nothing; the worker hears of it at its next heartbeat.
    /// </summary>
    public abstract Task<JobChange> CancelAsync(string id, CancellationToken cancellation);

    /// <summary>
    /// Moves a queued or running job to <see cref="JobStatus.Paused"/>. A running worker may still save a checkpoint and a run
    /// state, then releases the job.
    /// </summary>
    public abstract Task<JobChange> PauseAsync(string id, CancellationToken cancellation);

    /// <summary>Moves a paused job to <see cref="JobStatus.Queued"/>. It is claimed once the worker it had has let go.</summary>
    public abstract Task<JobChange> ResumeAsync(string id, CancellationToken cancellation);

    /// <summary>The oldest job in <see cref="JobStatus.ValidatingFiles"/>, or null.</summary>
    public abstract Task<Job?> NextToValidateAsync(CancellationToken cancellation);

    /// <summary>
    /// Moves a job from <see cref="JobStatus.ValidatingFiles"/> to <see cref="JobStatus.Queued"/> with the numbers that
    /// <c>"auto"</c> stood for, and the event. Null when the job is no longer validating.
    /// </summary>
    /// <param name="id">The job.</param>
    /// <param name="hyperparametersJson">The JSON object that replaces <see cref="Job.HyperparametersJson"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    public abstract Task<Job?> AcceptFilesAsync(string id, string hyperparametersJson, CancellationToken cancellation);

    /// <summary>
    /// Moves a job from <see cref="JobStatus.ValidatingFiles"/> to <see cref="JobStatus.Failed"/> with the event. Null when the
    /// job is no longer validating.
    /// </summary>
    public abstract Task<Job?> RejectFilesAsync(string id, JobError error, CancellationToken cancellation);

    // ---- Events, checkpoints, models ------------------------------------------------------------------------------

    /// <summary>A page of a job's events, newest first. Null when <paramref name="after"/> is not an event of the job.</summary>
    public abstract Task<Page<JobEvent>?> ListEventsAsync(
        string jobId, string? after, int limit, CancellationToken cancellation);

    /// <summary>The job's events with a sequence above <paramref name="sequence"/>, oldest first, at most <paramref name="limit"/>.</summary>
    public abstract Task<IReadOnlyList<JobEvent>> ListEventsSinceAsync(
        string jobId, long sequence, int limit, CancellationToken cancellation);

    /// <summary>A page of a job's checkpoints, highest step first. Null when <paramref name="after"/> is not one of them.</summary>
    public abstract Task<Page<Checkpoint>?> ListCheckpointsAsync(
        string jobId, string? after, int limit, CancellationToken cancellation);

    /// <summary>Every tuned model, checkpoints' included, newest first.</summary>
    public abstract Task<IReadOnlyList<TunedModel>> ListModelsAsync(CancellationToken cancellation);

    /// <summary>The tuned model, or null.</summary>
    public abstract Task<TunedModel?> GetModelAsync(string name, CancellationToken cancellation);

    /// <summary>Deletes a tuned model and drops its blobs, unless a job that is not terminal starts from it.</summary>
    public abstract Task<Deletion> DeleteModelAsync(string name, CancellationToken cancellation);

    // ---- Keys and settings ----------------------------------------------------------------------------------------

    /// <summary>Records a key.</summary>
    public abstract Task AddKeyAsync(ApiKey key, CancellationToken cancellation);

    /// <summary>The working key with this hash, or null when there is none or it was revoked.</summary>
    public abstract Task<ApiKey?> FindKeyAsync(string hash, CancellationToken cancellation);

    /// <summary>Every key, newest first, revoked ones included.</summary>
    public abstract Task<IReadOnlyList<ApiKey>> ListKeysAsync(CancellationToken cancellation);

    /// <summary>Stops a key from working. False when there is no such working key.</summary>
    public abstract Task<bool> RevokeKeyAsync(string id, CancellationToken cancellation);

    /// <summary>The installation's setting of this name, stored as <paramref name="value"/> when it had none.</summary>
    public abstract Task<string> GetOrAddSettingAsync(string name, string value, CancellationToken cancellation);

    // ---- Runs, the worker's side ----------------------------------------------------------------------------------

    /// <summary>
    /// Takes the oldest queued job that no run holds: it becomes <see cref="JobStatus.Running"/> under a new run with the next
    /// fencing token. Of many simultaneous claims one gets the job. Null when there is none.
    /// </summary>
    /// <param name="tokenHash"><see cref="Ids.HashSecret"/> of the secret that the worker will show.</param>
    /// <param name="lease">How long the run lives without a heartbeat.</param>
    /// <param name="cancellation">Gives up.</param>
    public abstract Task<ClaimedRun?> ClaimAsync(string tokenHash, TimeSpan lease, CancellationToken cancellation);

    /// <summary>The run whose token has this hash, ended ones included; null when there is none.</summary>
    public abstract Task<Run?> FindRunAsync(string tokenHash, CancellationToken cancellation);

    /// <summary>Every run that has not ended, oldest first.</summary>
    public abstract Task<IReadOnlyList<Run>> ListActiveRunsAsync(CancellationToken cancellation);

    /// <summary>
    /// Extends the lease and records progress. A lease that has run out but was not taken away yet comes back to life:
    /// the fencing token decides, not the clock.
    /// </summary>
    public abstract Task<RunDirective> HeartbeatAsync(
        Lease lease, TimeSpan extension, RunProgress progress, CancellationToken cancellation);

    /// <summary>
    /// Appends a batch of events, at most <see cref="Limits.EventBatchMax"/>. Events already stored (by run sequence, or by
    /// step) are skipped, so a batch may be sent again. With <see cref="RunDirective.Stop"/> nothing was written.
    /// </summary>
    public abstract Task<RunDirective> AppendEventsAsync(
        Lease lease, IReadOnlyList<RunEvent> events, CancellationToken cancellation);

    /// <summary>
    /// Records a checkpoint and registers its model, except for the final one, whose model is registered by
    /// <see cref="FinishAsync"/>. A step that has a checkpoint keeps the old one and drops the new blobs. Checkpoints beyond
    /// the last <see cref="Limits.CheckpointsKeptMax"/> are dropped with their models. Null when the lease is lost.
    /// </summary>
    public abstract Task<Checkpoint?> SaveCheckpointAsync(
        Lease lease, NewCheckpoint checkpoint, CancellationToken cancellation);

    /// <summary>
    /// Records where the job can go on. The newest <see cref="Limits.RunStatesKeptMax"/> are kept. With
    /// <see cref="RunDirective.Stop"/> nothing was written.
    /// </summary>
    public abstract Task<RunDirective> SaveRunStateAsync(
        Lease lease, RunStateRef state, CancellationToken cancellation);

    /// <summary>The job's run states, newest first.</summary>
    public abstract Task<IReadOnlyList<RunStateRef>> ListRunStatesAsync(string jobId, CancellationToken cancellation);

    /// <summary>
    /// Moves the job to <see cref="JobStatus.Succeeded"/>: model, result file and the closing events in one transaction.
    /// Repeated by the same run it returns the job again. Null when the lease is lost or the final checkpoint is missing.
    /// </summary>
    /// <param name="lease">The worker's right.</param>
    /// <param name="trainedTokens">Tokens trained on, all epochs together.</param>
    /// <param name="resultFile">The table of metrics, its blob already stored.</param>
    /// <param name="cancellation">Gives up.</param>
    public abstract Task<Job?> FinishAsync(
        Lease lease, long trainedTokens, StoredFile resultFile, CancellationToken cancellation);

    /// <summary>
    /// Moves the job to <see cref="JobStatus.Failed"/> by the worker's own report: its input or its configuration is bad, so
    /// another attempt would not help. Repeated by the same run it returns the job again. Null when the lease is lost.
    /// </summary>
    public abstract Task<Job?> FailAsync(Lease lease, JobError error, CancellationToken cancellation);

    /// <summary>
    /// Ends a run whose worker stops in good order (pause, cancel, shutdown). A running job goes back to the queue without
    /// counting a crash. False when the run had ended before.
    /// </summary>
    public abstract Task<bool> ReleaseAsync(Lease lease, CancellationToken cancellation);

    // ---- Supervision ----------------------------------------------------------------------------------------------

    /// <summary>
    /// Ends a run whose worker is known to be dead. A running job goes back to the queue, or fails when
    /// <see cref="Limits.CrashesAtSameStepMax"/> workers died without reaching a new step. Null when the run had ended before.
    /// </summary>
    /// <param name="lease">The dead run.</param>
    /// <param name="reason">What is known of the death, for the event and the error.</param>
    /// <param name="cancellation">Gives up.</param>
    public abstract Task<Job?> BuryAsync(Lease lease, string reason, CancellationToken cancellation);

    /// <summary>The active runs whose lease has run out.</summary>
    public abstract Task<IReadOnlyList<Run>> ListExpiredRunsAsync(CancellationToken cancellation);

    /// <summary>
    /// <see cref="BuryAsync"/> for a run whose lease has run out; null as well when a heartbeat came in between.
    /// </summary>
    public abstract Task<Job?> RescueAsync(Lease lease, string reason, CancellationToken cancellation);

    /// <summary>
    /// Gives every active run at least this much time from now. A server calls it once at its start, so that workers which
    /// lived through the server's absence are not taken for dead.
    /// </summary>
    public abstract Task ExtendLeasesAsync(TimeSpan extension, CancellationToken cancellation);

    /// <summary>Keys of blobs that nothing refers to any more and that are to be deleted, oldest first.</summary>
    public abstract Task<IReadOnlyList<string>> ListDroppedBlobsAsync(int limit, CancellationToken cancellation);

    /// <summary>Forgets a dropped blob once it is deleted.</summary>
    public abstract Task ForgetDroppedBlobAsync(string blobKey, CancellationToken cancellation);

    /// <summary>True when a file, model or run state holds this blob, or it waits among the dropped ones.</summary>
    public abstract Task<bool> KnowsBlobAsync(string blobKey, CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Wakes whoever awaits <see cref="Changed"/>. Implementations call it after each commit that changed something.</summary>
    protected void SignalChange()
    {
        TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _changed, next).TrySetResult();
    }
}
