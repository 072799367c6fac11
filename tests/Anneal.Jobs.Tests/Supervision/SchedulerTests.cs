using Anneal.Jobs.Launch;
using Anneal.Jobs.Supervision;

namespace Anneal.Jobs.Tests.Supervision;

public sealed class SchedulerTests
{
    [Fact]
    public async Task A_queued_job_gets_a_worker_with_the_token_and_the_next_waits()
    {
        await using StoreBed bed = new();
        FakeLauncher launcher = new();
        using Scheduler scheduler = new(bed.Store, launcher, bed.Time, new SchedulerOptions());
        await bed.QueueAsync();
        Job second = await bed.QueueAsync();
        await scheduler.RunOnceAsync(default);
        await scheduler.RunOnceAsync(default);

        FakeWorker worker = Assert.Single(launcher.Workers);
        Assert.Equal(worker.Run, await bed.Store.FindRunAsync(Ids.HashSecret(worker.Token), default));
        await bed.SaveCheckpointAsync(worker.Run.Lease, 1, final: true);
        await bed.FinishAsync(worker.Run.Lease);
        worker.Exit("exit code 0");
        await scheduler.AnyExited.WaitAsync(TimeSpan.FromSeconds(10));
        await scheduler.RunOnceAsync(default);
        Assert.Equal(second.Id, launcher.Workers[^1].Run.JobId);
        Assert.True(worker.Disposed);
        Assert.Equal(JobStatus.Succeeded, (await bed.JobAsync(worker.Run.JobId)).Status);
    }

    [Fact]
    public async Task A_worker_that_dies_is_replaced_at_once_and_the_third_death_fails_the_job()
    {
        await using StoreBed bed = new();
        FakeLauncher launcher = new();
        using Scheduler scheduler = new(bed.Store, launcher, bed.Time, new SchedulerOptions());
        Job job = await bed.QueueAsync();
        await scheduler.RunOnceAsync(default);
        launcher.Workers[0].Exit("signal 9");
        await scheduler.RunOnceAsync(default);
        Assert.Equal(2, launcher.Workers.Count);
        launcher.Workers[1].Exit("signal 9");
        await scheduler.RunOnceAsync(default);
        Assert.Equal(2, launcher.Workers.Count);
        bed.Time.Advance(Limits.RestartDelay);
        await scheduler.RunOnceAsync(default);
        launcher.Workers[2].Exit("exit code 134; last output: Out of memory.");
        await scheduler.RunOnceAsync(default);
        Job failed = await bed.JobAsync(job.Id);
        Assert.Equal(JobStatus.Failed, failed.Status);
        Assert.EndsWith("Out of memory.", failed.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_cannot_be_started_fails_the_job_with_the_reason()
    {
        await using StoreBed bed = new();
        FakeLauncher launcher = new() { Broken = true };
        using Scheduler scheduler = new(bed.Store, launcher, bed.Time, new SchedulerOptions());
        Job job = await bed.QueueAsync();
        for (int i = 0; i < 3; i++)
        {
            await scheduler.RunOnceAsync(default);
            bed.Time.Advance(Limits.RestartDelay * 2);
        }

        Job failed = await bed.JobAsync(job.Id);
        Assert.Equal(JobStatus.Failed, failed.Status);
        Assert.Contains("no such program", failed.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_ignores_a_cancel_is_killed_after_a_while()
    {
        await using StoreBed bed = new();
        FakeLauncher launcher = new();
        SchedulerOptions options = new();
        using Scheduler scheduler = new(bed.Store, launcher, bed.Time, options);
        Job job = await bed.QueueAsync();
        await scheduler.RunOnceAsync(default);
        await bed.Store.CancelAsync(job.Id, default);
        await scheduler.RunOnceAsync(default);
        Assert.False(launcher.Workers[0].Killed);
        bed.Time.Advance(options.StopGrace);
        await scheduler.RunOnceAsync(default);
        Assert.True(launcher.Workers[0].Killed);
        await scheduler.RunOnceAsync(default);
        Assert.Empty(await bed.Store.ListActiveRunsAsync(default));
        Assert.Equal(JobStatus.Cancelled, (await bed.JobAsync(job.Id)).Status);
    }

    [Fact]
    public async Task An_orderly_end_asks_workers_to_stop_and_kills_those_that_do_not()
    {
        await using StoreBed bed = new();
        FakeLauncher launcher = new();
        using Scheduler scheduler = new(bed.Store, launcher, bed.Time, new SchedulerOptions { RunsMax = 2 });
        Job polite = await bed.QueueAsync();
        Job stubborn = await bed.QueueAsync();
        await scheduler.RunOnceAsync(default);
        launcher.Workers[0].OnStop = async worker =>
        {
            await bed.Store.ReleaseAsync(worker.Run.Lease, default);
            worker.Exit("exit code 0");
        };
        Task stopping = scheduler.StopWorkersAsync(TimeSpan.FromSeconds(10), default);
        while (!stopping.IsCompleted)
        {
            bed.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await stopping;
        Assert.False(launcher.Workers[0].Killed);
        Assert.True(launcher.Workers[1].Killed);
        Assert.Equal((JobStatus.Queued, 0), await StateAsync(bed, polite.Id));
        Assert.Equal((JobStatus.Queued, 1), await StateAsync(bed, stubborn.Id));
    }

    [Fact]
    public async Task The_rescuer_takes_jobs_from_silent_workers_only()
    {
        await using StoreBed bed = new();
        Rescuer rescuer = new(bed.Store);
        ClaimedRun silent = await bed.StartAsync();
        ClaimedRun healthy = await bed.StartAsync();
        for (int i = 0; i < 100; i++)
        {
            bed.Time.Advance(TimeSpan.FromSeconds(10));
            await bed.Store.HeartbeatAsync(healthy.Run.Lease, StoreBed.LeaseTime, new RunProgress(i, null), default);
            await rescuer.RunOnceAsync(default);
        }

        Assert.Equal((JobStatus.Queued, 1), await StateAsync(bed, silent.Job.Id));
        Assert.Equal((JobStatus.Running, 0), await StateAsync(bed, healthy.Job.Id));
        Assert.Contains("its heartbeats stopped", (await bed.MessagesAsync(silent.Job.Id))[^1], StringComparison.Ordinal);
    }

    private static async Task<(JobStatus Status, int Crashes)> StateAsync(StoreBed bed, string id)
    {
        Job job = await bed.JobAsync(id);
        return (job.Status, job.CrashCount);
    }

    private sealed class FakeLauncher : ILauncher
    {
        public string Name => "fake";

        public bool Broken { get; init; }

        public List<FakeWorker> Workers { get; } = [];

        public IWorker Launch(Run run, string token)
        {
            if (Broken)
            {
                throw new LaunchException("no such program", new IOException("x"));
            }

            Workers.Add(new FakeWorker(run, token));
            return Workers[^1];
        }
    }

    private sealed class FakeWorker(Run run, string token) : IWorker
    {
        private readonly TaskCompletionSource<string> _exit = new();

        public Run Run { get; } = run;

        public string Token { get; } = token;

        public bool Killed { get; private set; }

        public bool Disposed { get; private set; }

        public Func<FakeWorker, Task>? OnStop { get; set; }

        public Task<string> Exited => _exit.Task;

        public void Exit(string how) => _exit.TrySetResult(how);

        public void RequestStop() => OnStop?.Invoke(this);

        public void Kill()
        {
            Killed = true;
            Exit("signal 9");
        }

        public void Dispose() => Disposed = true;
    }
}
