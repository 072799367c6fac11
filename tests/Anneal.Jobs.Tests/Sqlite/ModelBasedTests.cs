namespace Anneal.Jobs.Tests.Sqlite;

/// <summary>
/// Random verbs, zombies and restarts against the store and against a model of it that fits on a page. The seed of a failure
/// is in its message; <c>ANNEAL_SEEDS</c> sets how many seeds are tried.
/// </summary>
public sealed class ModelBasedTests
{
    [Fact]
    public async Task The_store_behaves_as_its_model_under_random_verbs_and_crashes()
    {
        int seeds = int.Parse(Environment.GetEnvironmentVariable("ANNEAL_SEEDS") ?? "6");
        for (int seed = 1; seed <= seeds; seed++)
        {
            try
            {
                await using StoreBed bed = new();
                await new Walk(bed, new Random(seed)).RunAsync(steps: 400);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }
    }

    /// <summary>What the model knows of a job. Its rules are written again here, from the document, not from the code.</summary>
    private sealed class ModelJob
    {
        public required string Id { get; init; }

        public JobStatus Status { get; set; } = JobStatus.ValidatingFiles;

        public Lease? Holder { get; set; }

        public long Fence { get; set; }

        public int Events { get; set; } = 2;

        public int Step { get; set; }

        public int DeathStep { get; set; } = -1;

        public int Deaths { get; set; }

        public DateTimeOffset AvailableAt { get; set; }

        public bool HasFinal { get; set; }

        public HashSet<int> Reported { get; } = [];

        public HashSet<int> Checkpoints { get; } = [];
    }

    private sealed class ModelRun
    {
        public required ModelJob Job { get; init; }

        public required Lease Lease { get; init; }

        public DateTimeOffset Expires { get; set; }

        public bool Active { get; set; } = true;

        public long Sequence { get; set; }

        public bool Finished { get; set; }

        /// <summary>The run still holds its job.</summary>
        public bool Holds => Job.Holder == Lease;
    }

    private sealed class Walk(StoreBed bed, Random random)
    {
        private readonly List<ModelJob> _jobs = [];
        private readonly List<ModelRun> _runs = [];

        public async Task RunAsync(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                await (random.Next(16) switch
                {
                    0 => SubmitAsync(),
                    1 => ValidateAsync(),
                    2 => UserMoveAsync(JobStatus.Cancelled, random.Next(4) == 0),
                    3 => UserMoveAsync(JobStatus.Paused, go: true),
                    4 => UserMoveAsync(JobStatus.Queued, go: true),
                    5 or 6 => ClaimAsync(),
                    7 or 8 => HeartbeatAsync(),
                    9 or 10 => AppendAsync(),
                    11 => CheckpointAsync(),
                    12 => EndAsync(),
                    13 => BuryAsync(),
                    14 => RescueAsync(),
                    _ => bed.ReopenAsync(),
                });
                await CompareAsync();
            }
        }

        private async Task SubmitAsync()
        {
            Job job = await bed.SubmitAsync();
            _jobs.Add(new ModelJob { Id = job.Id });
        }

        private async Task ValidateAsync()
        {
            ModelJob? model = _jobs.Find(j => j.Status == JobStatus.ValidatingFiles);
            Job? next = await bed.Store.NextToValidateAsync(default);
            Assert.Equal(model?.Id, next?.Id);
            if (model is null)
            {
                return;
            }

            bool good = random.Next(5) > 0;
            Assert.NotNull(good
                ? await bed.Store.AcceptFilesAsync(model.Id, "{}", default)
                : await bed.Store.RejectFilesAsync(model.Id, new JobError("code", "bad", null), default));
            model.Status = good ? JobStatus.Queued : JobStatus.Failed;
            model.AvailableAt = bed.Time.GetUtcNow();
            model.Events++;
        }

        private async Task UserMoveAsync(JobStatus to, bool go)
        {
            if (_jobs.Count == 0 || !go)
            {
                return;
            }

            ModelJob model = _jobs[random.Next(_jobs.Count)];
            bool legal = to switch
            {
                JobStatus.Cancelled => !model.Status.IsTerminal(),
                JobStatus.Paused => model.Status is JobStatus.Queued or JobStatus.Running,
                _ => model.Status == JobStatus.Paused,
            };
            JobChange change = await (to switch
            {
                JobStatus.Cancelled => bed.Store.CancelAsync(model.Id, default),
                JobStatus.Paused => bed.Store.PauseAsync(model.Id, default),
                _ => bed.Store.ResumeAsync(model.Id, default),
            });
            Assert.Equal(legal ? JobChangeOutcome.Changed : JobChangeOutcome.WrongStatus, change.Outcome);
            if (!legal)
            {
                return;
            }

            model.Status = to;
            model.Events++;
            if (to == JobStatus.Cancelled)
            {
                model.Holder = null;
            }
            else if (to == JobStatus.Queued)
            {
                model.AvailableAt = bed.Time.GetUtcNow();
            }
        }

        private async Task ClaimAsync()
        {
            ModelJob? expected = _jobs.Find(j =>
                j.Status == JobStatus.Queued && j.Holder is null && j.AvailableAt <= bed.Time.GetUtcNow());
            ClaimedRun? claimed = await bed.ClaimAsync();
            Assert.Equal(expected?.Id, claimed?.Job.Id);
            if (expected is null)
            {
                return;
            }

            expected.Status = JobStatus.Running;
            expected.Fence++;
            expected.Events++;
            expected.Holder = claimed!.Run.Lease;
            Assert.Equal(expected.Fence, claimed.Run.Fence);
            _runs.Add(new ModelRun
            {
                Job = expected,
                Lease = claimed.Run.Lease,
                Expires = bed.Time.GetUtcNow() + StoreBed.LeaseTime,
            });
        }

        private async Task HeartbeatAsync()
        {
            if (AnyRun() is not { } run)
            {
                return;
            }

            int step = run.Job.Step + random.Next(2);
            RunDirective directive = await bed.Store.HeartbeatAsync(
                run.Lease, StoreBed.LeaseTime, new RunProgress(step, bed.Time.GetUtcNow()), default);
            Assert.Equal(Expected(run), directive);
            if (run.Holds)
            {
                run.Job.Step = Math.Max(run.Job.Step, step);
                run.Expires = bed.Time.GetUtcNow() + StoreBed.LeaseTime;
            }
        }

        private async Task AppendAsync()
        {
            if (AnyRun() is not { } run)
            {
                return;
            }

            // From before the run's end: some are repetitions, by run sequence or by step.
            long first = Math.Max(1, run.Sequence - 1);
            List<RunEvent> batch = [];
            for (long sequence = first; sequence < first + 4; sequence++)
            {
                batch.Add(random.Next(2) == 0
                    ? new RunEvent(sequence, EventLevel.Info, "message", null, null)
                    : StoreBed.Metric(sequence, 1 + random.Next(run.Job.Step + 2)));
            }

            Assert.Equal(Expected(run), await bed.Store.AppendEventsAsync(run.Lease, batch, default));
            if (!run.Holds)
            {
                return;
            }

            run.Job.Step = Math.Max(run.Job.Step, batch.Max(e => e.Step) ?? 0);
            foreach (RunEvent e in batch.Where(e => e.RunSequence > run.Sequence).ToList())
            {
                run.Sequence = e.RunSequence;
                if (e.Step is null || run.Job.Reported.Add(e.Step.Value))
                {
                    run.Job.Events++;
                }
            }
        }

        private async Task CheckpointAsync()
        {
            if (AnyRun() is not { } run)
            {
                return;
            }

            int step = run.Job.Step + 1 + random.Next(2);
            bool final = !run.Job.HasFinal && random.Next(3) == 0;
            Checkpoint? saved = await bed.SaveCheckpointAsync(run.Lease, step, final);
            Assert.Equal(run.Holds, saved is not null);
            RunDirective directive = await bed.SaveStateAsync(run.Lease, step);
            Assert.Equal(Expected(run), directive);
            if (!run.Holds)
            {
                return;
            }

            run.Job.Step = Math.Max(run.Job.Step, step);
            if (run.Job.Checkpoints.Add(step))
            {
                run.Job.HasFinal |= final;
                run.Job.Checkpoints.RemoveWhere(s => run.Job.Checkpoints.Count(t => t > s) >= Limits.CheckpointsKeptMax);
                run.Job.HasFinal &= saved is not null;
            }
        }

        private async Task EndAsync()
        {
            if (AnyRun() is not { } run)
            {
                return;
            }

            bool running = run.Holds && run.Job.Status == JobStatus.Running;
            switch (random.Next(3))
            {
                case 0:
                    // The store alone knows whether a final checkpoint is still among the kept ones.
                    bool hasFinal = (await bed.Store.ListCheckpointsAsync(run.Job.Id, null, 10, default))!
                        .Items.Any(c => !c.ModelName.Contains(":ckpt-step-", StringComparison.Ordinal));
                    int kept = run.Job.Checkpoints.Count - 1;
                    Assert.Equal((running && hasFinal) || run.Finished, await bed.FinishAsync(run.Lease) is not null);
                    if (running && hasFinal)
                    {
                        End(run, JobStatus.Succeeded, events: 2 + kept);
                        run.Finished = true;
                    }

                    break;
                case 1:
                    Job? failed = await bed.Store.FailAsync(run.Lease, new JobError("code", "worker says no", null), default);
                    Assert.Equal(running || run.Finished, failed is not null);
                    if (running)
                    {
                        End(run, JobStatus.Failed, events: 1);
                        run.Finished = true;
                    }

                    break;
                default:
                    Assert.Equal(run.Active, await bed.Store.ReleaseAsync(run.Lease, default));
                    if (run.Holds)
                    {
                        run.Job.AvailableAt = bed.Time.GetUtcNow();
                        End(run, running ? JobStatus.Queued : run.Job.Status, events: 0);
                    }

                    run.Active = false;
                    break;
            }
        }

        private async Task BuryAsync()
        {
            if (AnyRun() is { } run)
            {
                Job? job = await bed.Store.BuryAsync(run.Lease, "signal 9", default);
                Assert.Equal(run.Active, job is not null);
                Die(run);
            }
        }

        private async Task RescueAsync()
        {
            bed.Time.Advance(TimeSpan.FromSeconds(random.Next(40)));
            IReadOnlyList<Run> expired = await bed.Store.ListExpiredRunsAsync(default);
            List<ModelRun> expected = [.. _runs.Where(r => r.Active && r.Expires <= bed.Time.GetUtcNow())];
            Assert.Equal(
                expected.Select(r => r.Lease.RunId).Order(StringComparer.Ordinal),
                expired.Select(r => r.Id).Order(StringComparer.Ordinal));
            foreach (Run run in expired)
            {
                Assert.NotNull(await bed.Store.RescueAsync(run.Lease, "silent", default));
                Die(expected.Find(r => r.Lease == run.Lease)!);
            }
        }

        private void Die(ModelRun run)
        {
            if (!run.Active)
            {
                return;
            }

            run.Active = false;
            ModelJob job = run.Job;
            if (!run.Holds)
            {
                return;
            }

            if (job.Status != JobStatus.Running)
            {
                job.AvailableAt = bed.Time.GetUtcNow();
                End(run, job.Status, events: 0);
                return;
            }

            bool progressed = job.Step > job.DeathStep;
            job.AvailableAt = bed.Time.GetUtcNow() + (progressed ? TimeSpan.Zero : job.Deaths * Limits.RestartDelay);
            job.Deaths = progressed ? 1 : job.Deaths + 1;
            job.DeathStep = job.Step;
            End(run, job.Deaths == 3 ? JobStatus.Failed : JobStatus.Queued, events: 1);
        }

        private static void End(ModelRun run, JobStatus status, int events)
        {
            run.Active = false;
            run.Job.Status = status;
            run.Job.Holder = null;
            run.Job.Events += events;
        }

        private static RunDirective Expected(ModelRun run) => !run.Holds
            ? RunDirective.Stop
            : run.Job.Status == JobStatus.Running ? RunDirective.Continue : RunDirective.Pause;

        /// <summary>Some run, dead ones included, young ones more often.</summary>
        private ModelRun? AnyRun() =>
            _runs.Count == 0 ? null : _runs[Math.Max(random.Next(_runs.Count), random.Next(_runs.Count))];

        private async Task CompareAsync()
        {
            IReadOnlyList<Job> jobs = (await bed.Store.ListJobsAsync(null, 10_000, null, default))!.Items;
            Assert.Equal(_jobs.Count, jobs.Count);
            foreach ((ModelJob model, Job job) in _jobs.Zip(Enumerable.Reverse(jobs)))
            {
                Assert.Equal(
                    (model.Id, model.Status, model.Holder?.RunId, model.Fence, model.Step, model.Deaths),
                    (job.Id, job.Status, job.RunId, job.Fence, job.StepReached, job.CrashCount));
            }

            Assert.Equal(
                _runs.Where(r => r.Active).Select(r => r.Lease.RunId).Order(StringComparer.Ordinal),
                (await bed.Store.ListActiveRunsAsync(default)).Select(r => r.Id).Order(StringComparer.Ordinal));
            if (_jobs.Count > 0)
            {
                ModelJob some = _jobs[random.Next(_jobs.Count)];
                IReadOnlyList<JobEvent> events = await bed.Store.ListEventsSinceAsync(some.Id, 0, 10_000, default);
                Assert.Equal(Enumerable.Range(1, some.Events).Select(i => (long)i), events.Select(e => e.Sequence));
            }
        }
    }
}
