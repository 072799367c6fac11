namespace Anneal.Jobs.Tests.Sqlite;

public sealed class RunTests
{
    [Fact]
    public async Task Of_fifty_simultaneous_claims_one_wins()
    {
        await using StoreBed bed = new();
        for (int round = 0; round < 5; round++)
        {
            Job job = await bed.QueueAsync();
            ClaimedRun?[] claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(bed.ClaimAsync)));
            ClaimedRun winner = Assert.Single(claims, c => c is not null)!;
            Assert.Equal(job.Id, winner.Job.Id);
            Assert.Equal(1, winner.Run.Fence);
        }
    }

    [Fact]
    public async Task Jobs_are_claimed_oldest_first()
    {
        await using StoreBed bed = new();
        Job first = await bed.QueueAsync();
        Job second = await bed.QueueAsync();
        Assert.Equal(first.Id, (await bed.ClaimAsync())!.Job.Id);
        Assert.Equal(second.Id, (await bed.ClaimAsync())!.Job.Id);
        Assert.Null(await bed.ClaimAsync());
    }

    [Fact]
    public async Task A_run_is_found_by_its_token_only()
    {
        await using StoreBed bed = new();
        await bed.QueueAsync();
        string token = Ids.Secret("token-");
        ClaimedRun claimed = (await bed.Store.ClaimAsync(Ids.HashSecret(token), StoreBed.LeaseTime, default))!;
        Assert.Equal(claimed.Run, await bed.Store.FindRunAsync(Ids.HashSecret(token), default));
        Assert.Null(await bed.Store.FindRunAsync(Ids.HashSecret(token + "x"), default));
    }

    [Fact]
    public async Task A_zombie_can_write_nothing_after_another_worker_took_over()
    {
        await using StoreBed bed = new();
        ClaimedRun zombie = await bed.StartAsync();
        string id = zombie.Job.Id;
        bed.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(JobStatus.Queued, (await bed.Store.RescueAsync(zombie.Run.Lease, "silent", default))!.Status);
        ClaimedRun heir = (await bed.ClaimAsync())!;
        int events = (await bed.MessagesAsync(id)).Count;

        Lease dead = zombie.Run.Lease;
        foreach (Lease lease in (Lease[])[dead, dead with { Fence = heir.Run.Fence }, heir.Run.Lease with { Fence = 1 }])
        {
            Assert.Equal(RunDirective.Stop, await bed.Store.HeartbeatAsync(
                lease, StoreBed.LeaseTime, new RunProgress(99, null), default));
            Assert.Equal(RunDirective.Stop, await bed.Store.AppendEventsAsync(lease, [StoreBed.Metric(1, 99)], default));
            Assert.Null(await bed.SaveCheckpointAsync(lease, 99, final: true));
            Assert.Equal(RunDirective.Stop, await bed.SaveStateAsync(lease, 99));
            Assert.Null(await bed.FinishAsync(lease));
            Assert.Null(await bed.Store.FailAsync(lease, new JobError("a", "b", null), default));
            Assert.False(await bed.Store.ReleaseAsync(lease, default));
            Assert.Null(await bed.Store.BuryAsync(lease, "again", default));
        }

        Job job = await bed.JobAsync(id);
        Assert.Equal((JobStatus.Running, heir.Run.Id, 0), (job.Status, job.RunId, job.StepReached));
        Assert.Equal(events, (await bed.MessagesAsync(id)).Count);
        Assert.Empty(await bed.Store.ListRunStatesAsync(id, default));
        Assert.Empty((await bed.Store.ListCheckpointsAsync(id, null, 10, default))!.Items);
        Assert.Equal(RunDirective.Continue, await bed.Store.HeartbeatAsync(
            heir.Run.Lease, StoreBed.LeaseTime, new RunProgress(1, null), default));
    }

    [Fact]
    public async Task A_heartbeat_keeps_a_run_alive_and_revives_a_lease_nobody_took()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        DateTimeOffset finish = bed.Time.GetUtcNow() + TimeSpan.FromHours(100);
        for (int i = 0; i < 1000; i++)
        {
            bed.Time.Advance(TimeSpan.FromSeconds(10));
            Assert.Empty(await bed.Store.ListExpiredRunsAsync(default));
            Assert.Equal(RunDirective.Continue, await bed.Store.HeartbeatAsync(
                run.Run.Lease, StoreBed.LeaseTime, new RunProgress(i, finish), default));
        }

        Assert.Equal(finish, (await bed.JobAsync(run.Job.Id)).EstimatedFinish);
        bed.Time.Advance(TimeSpan.FromSeconds(31));
        Run expired = Assert.Single(await bed.Store.ListExpiredRunsAsync(default));
        await bed.Store.HeartbeatAsync(run.Run.Lease, StoreBed.LeaseTime, new RunProgress(1, null), default);
        Assert.Null(await bed.Store.RescueAsync(expired.Lease, "too late", default));

        bed.Time.Advance(TimeSpan.FromSeconds(31));
        await bed.Store.ExtendLeasesAsync(StoreBed.LeaseTime, default);
        Assert.Empty(await bed.Store.ListExpiredRunsAsync(default));
    }

    [Fact]
    public async Task A_batch_of_events_sent_again_is_stored_once_and_a_step_is_shown_once()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        RunEvent[] batch = [StoreBed.Metric(1, 1), new(2, EventLevel.Warn, "2 examples were cut", null, null), StoreBed.Metric(3, 2)];
        await bed.Store.AppendEventsAsync(run.Run.Lease, batch, default);
        await bed.Store.AppendEventsAsync(run.Run.Lease, batch, default);
        await bed.Store.AppendEventsAsync(run.Run.Lease, [.. batch, StoreBed.Metric(4, 3)], default);
        await bed.Store.AppendEventsAsync(run.Run.Lease, [], default);
        await bed.Store.BuryAsync(run.Run.Lease, "test", default);

        // The next run goes on from an earlier step and reports steps 2 and 3 again.
        ClaimedRun second = (await bed.ClaimAsync())!;
        await bed.Store.AppendEventsAsync(
            second.Run.Lease, [StoreBed.Metric(1, 2), StoreBed.Metric(2, 3), StoreBed.Metric(3, 4)], default);

        IReadOnlyList<JobEvent> events = await bed.Store.ListEventsSinceAsync(run.Job.Id, 0, 100, default);
        Assert.Equal(Enumerable.Range(1, events.Count).Select(i => (long)i), events.Select(e => e.Sequence));
        Assert.Equal([1, 2, 3, 4], events.Where(e => e.Step is not null).Select(e => e.Step!.Value));
        Assert.Single(events, e => e.Message == "2 examples were cut");
        Assert.Equal(4, (await bed.JobAsync(run.Job.Id)).StepReached);
    }

    [Fact]
    public async Task Three_deaths_at_the_same_step_fail_the_job()
    {
        await using StoreBed bed = new();
        ClaimedRun? run = await bed.StartAsync();
        string id = run.Job.Id;
        for (int death = 1; death <= 3; death++)
        {
            await bed.Store.AppendEventsAsync(run!.Run.Lease, [StoreBed.Metric(1, 7)], default);
            Job job = (await bed.Store.BuryAsync(run.Run.Lease, "signal 9", default))!;
            Assert.Equal(death < 3 ? JobStatus.Queued : JobStatus.Failed, job.Status);
            Assert.Equal(death, job.CrashCount);
            if (death == 2)
            {
                Assert.Null(await bed.ClaimAsync());
                bed.Time.Advance(Limits.RestartDelay);
            }

            run = await bed.ClaimAsync();
        }

        Job failed = await bed.JobAsync(id);
        Assert.Null(run);
        Assert.Equal("server_error", failed.Error!.Code);
        Assert.Contains("3 times without getting beyond step 7", failed.Error.Message, StringComparison.Ordinal);
        Assert.Contains("signal 9", failed.Error.Message, StringComparison.Ordinal);
        Assert.Equal(EventLevel.Error, (await bed.Store.ListEventsAsync(id, null, 1, default))!.Items[0].Level);
    }

    [Fact]
    public async Task Progress_between_deaths_starts_the_count_anew()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        for (int step = 1; step <= 20; step++)
        {
            await bed.Store.HeartbeatAsync(run.Run.Lease, StoreBed.LeaseTime, new RunProgress(step, null), default);
            Assert.Equal(1, (await bed.Store.BuryAsync(run.Run.Lease, "signal 9", default))!.CrashCount);
            run = (await bed.ClaimAsync())!;
        }

        Assert.Equal(JobStatus.Running, (await bed.JobAsync(run.Job.Id)).Status);
    }

    [Fact]
    public async Task An_orderly_release_puts_the_job_back_without_counting_a_crash()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            Assert.True(await bed.Store.ReleaseAsync(run.Run.Lease, default));
            Job job = await bed.JobAsync(run.Job.Id);
            Assert.Equal((JobStatus.Queued, 0), (job.Status, job.CrashCount));
            run = (await bed.ClaimAsync())!;
        }
    }

    [Fact]
    public async Task The_death_of_a_paused_or_cancelled_jobs_worker_only_frees_it()
    {
        await using StoreBed bed = new();
        ClaimedRun paused = await bed.StartAsync();
        await bed.Store.PauseAsync(paused.Job.Id, default);
        Job job = (await bed.Store.BuryAsync(paused.Run.Lease, "signal 9", default))!;
        Assert.Equal((JobStatus.Paused, (string?)null, 0), (job.Status, job.RunId, job.CrashCount));
        await bed.Store.ResumeAsync(job.Id, default);
        ClaimedRun again = (await bed.ClaimAsync())!;
        await bed.Store.CancelAsync(job.Id, default);
        Assert.Equal(JobStatus.Cancelled, (await bed.Store.BuryAsync(again.Run.Lease, "signal 9", default))!.Status);
        Assert.Empty(await bed.Store.ListActiveRunsAsync(default));
    }

    [Fact]
    public async Task The_two_newest_run_states_are_kept_and_replaced_blobs_are_dropped()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        foreach (int step in (int[])[10, 20, 80, 60])
        {
            await bed.SaveStateAsync(run.Run.Lease, step);
        }

        // 60 after 80: the state of step 80 was damaged and the job went back.
        Assert.Equal([60, 80], (await bed.Store.ListRunStatesAsync(run.Job.Id, default)).Select(s => s.Step));
        await bed.SaveStateAsync(run.Run.Lease, 80);
        Assert.Equal([80, 60], (await bed.Store.ListRunStatesAsync(run.Job.Id, default)).Select(s => s.Step));
        Assert.Equal(3, (await bed.Store.ListDroppedBlobsAsync(10, default)).Count);
        await bed.SaveCheckpointAsync(run.Run.Lease, 80, final: true);
        await bed.FinishAsync(run.Run.Lease);
        Assert.Equal(5, (await bed.Store.ListDroppedBlobsAsync(10, default)).Count);
    }

    [Fact]
    public async Task Whoever_waits_for_a_change_is_woken_by_it()
    {
        await using StoreBed bed = new();
        Task changed = bed.Store.Changed;
        Assert.False(changed.IsCompleted);
        await bed.SubmitAsync();
        await changed.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(bed.Store.Changed.IsCompleted);
    }
}
