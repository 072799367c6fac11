using Anneal.Jobs.Launch;

namespace Anneal.Jobs.Supervision;

/// <summary>How the scheduler works.</summary>
public sealed record SchedulerOptions
{
    /// <summary>Runs that may be active at once. One by default: training takes every core it is given.</summary>
    public int RunsMax { get; init; } = 1;

    /// <summary>How long a run lives without a heartbeat.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a worker that no longer holds its job may take to exit before it is killed.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// Gives queued jobs to workers and watches the workers of this process. Not for use by several threads at once.
/// </summary>
public sealed class Scheduler(JobStore store, ILauncher launcher, TimeProvider time, SchedulerOptions options) : IDisposable
{
    private readonly List<Watched> _workers = [];

    /// <summary>Buries workers that exited, ends those that should have, and starts new ones while there is room.</summary>
    public async Task<IReadOnlyList<SupervisionNote>> RunOnceAsync(CancellationToken cancellation)
    {
        List<SupervisionNote> notes = [];
        await BuryAsync(notes, cancellation).ConfigureAwait(false);
        await EndStragglersAsync(notes, cancellation).ConfigureAwait(false);
        await LaunchAsync(notes, cancellation).ConfigureAwait(false);
        return notes;
    }

    /// <summary>Completes when some worker of this process exits: a reason to call <see cref="RunOnceAsync"/> early.</summary>
    public Task AnyExited =>
        _workers.Count == 0 ? Task.Delay(Timeout.Infinite) : Task.WhenAny(_workers.Select(w => w.Worker.Exited));

    /// <summary>
    /// Asks every worker of this process to let go of its job, waits, and kills what is still there. For the orderly end of a
    /// server, while it still answers the workers' requests.
    /// </summary>
    public async Task StopWorkersAsync(TimeSpan grace, CancellationToken cancellation)
    {
        foreach (Watched watched in _workers)
        {
            watched.Worker.RequestStop();
        }

        Task all = Task.WhenAll(_workers.Select(w => w.Worker.Exited));
        await Task.WhenAny(all, Task.Delay(grace, time, cancellation)).ConfigureAwait(false);
        foreach (Watched watched in _workers.Where(w => !w.Worker.Exited.IsCompleted))
        {
            watched.Worker.Kill();
        }

        await all.ConfigureAwait(false);
        await BuryAsync([], cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Watched watched in _workers)
        {
            watched.Worker.Dispose();
        }

        _workers.Clear();
    }

    private async Task BuryAsync(List<SupervisionNote> notes, CancellationToken cancellation)
    {
        foreach (Watched watched in _workers.Where(w => w.Worker.Exited.IsCompleted).ToList())
        {
            string reason = await watched.Worker.Exited.ConfigureAwait(false);

            // A worker ends its run before it exits; a run still active belongs to a worker that crashed.
            Job? job = await store.BuryAsync(watched.Run.Lease, reason, cancellation).ConfigureAwait(false);
            if (job is not null)
            {
                notes.Add(new SupervisionNote(
                    $"A worker crashed ({reason}); its job is now {job.Status.ToName()}.", job.Id, watched.Run.Id));
            }

            _workers.Remove(watched);
            watched.Worker.Dispose();
        }
    }

    private async Task EndStragglersAsync(List<SupervisionNote> notes, CancellationToken cancellation)
    {
        foreach (Watched watched in _workers)
        {
            Job? job = await store.GetJobAsync(watched.Run.JobId, cancellation).ConfigureAwait(false);
            if (job?.RunId == watched.Run.Id)
            {
                watched.UnwantedSince = null;
                continue;
            }

            watched.UnwantedSince ??= time.GetTimestamp();
            if (time.GetElapsedTime(watched.UnwantedSince.Value) >= options.StopGrace && !watched.Killed)
            {
                watched.Killed = true;
                watched.Worker.Kill();
                notes.Add(new SupervisionNote(
                    "A worker that no longer holds its job did not exit and was killed.", watched.Run.JobId, watched.Run.Id));
            }
        }
    }

    private async Task LaunchAsync(List<SupervisionNote> notes, CancellationToken cancellation)
    {
        int active = (await store.ListActiveRunsAsync(cancellation).ConfigureAwait(false)).Count;
        for (; active < options.RunsMax; active++)
        {
            string token = Ids.Secret("runtoken-");
            ClaimedRun? claimed = await store
                .ClaimAsync(Ids.HashSecret(token), options.Lease, cancellation).ConfigureAwait(false);
            if (claimed is null)
            {
                return;
            }

            try
            {
                _workers.Add(new Watched(claimed.Run, launcher.Launch(claimed.Run, token)));
                notes.Add(new SupervisionNote("A worker was started.", claimed.Job.Id, claimed.Run.Id));
            }
            catch (LaunchException e)
            {
                // Counts as a crash: three failed launches end the job with this reason.
                await store.BuryAsync(claimed.Run.Lease, e.Message, cancellation).ConfigureAwait(false);
                notes.Add(new SupervisionNote(e.Message, claimed.Job.Id, claimed.Run.Id));
            }
        }
    }

    private sealed class Watched(Run run, IWorker worker)
    {
        public Run Run { get; } = run;

        public IWorker Worker { get; } = worker;

        /// <summary>Timestamp since when the worker holds no job; null while it does.</summary>
        public long? UnwantedSince { get; set; }

        public bool Killed { get; set; }
    }
}
