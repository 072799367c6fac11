using Microsoft.Data.Sqlite;

namespace Anneal.Jobs.Tests.Sqlite;

public sealed class JobLifecycleTests
{
    [Fact]
    public async Task A_job_goes_from_submission_to_success_and_says_so_in_order()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        string id = run.Job.Id;
        Assert.Equal(RunDirective.Continue, await bed.Store.AppendEventsAsync(
            run.Run.Lease, [StoreBed.Metric(1, 1), StoreBed.Metric(2, 2)], default));
        Checkpoint first = (await bed.SaveCheckpointAsync(run.Run.Lease, 1))!;
        Checkpoint last = (await bed.SaveCheckpointAsync(run.Run.Lease, 2, final: true))!;
        Assert.Null(await bed.Store.GetModelAsync(last.ModelName, default));

        Job done = (await bed.FinishAsync(run.Run.Lease))!;

        Assert.Equal(JobStatus.Succeeded, done.Status);
        Assert.Equal(done.ReservedModelName, done.FineTunedModel);
        Assert.Equal(last.ModelName, done.FineTunedModel);
        Assert.Equal(1000, done.TrainedTokens);
        Assert.Equal("fine-tune-results", (await bed.Store.GetFileAsync(done.ResultFiles[0], default))!.Purpose);
        Assert.Equal("""{"n_epochs":3}""", done.HyperparametersJson);
        Assert.Matches("^ft:nano:personal::[A-Za-z0-9]{8}$", done.FineTunedModel);
        Assert.Matches("^ft:nano:personal::[A-Za-z0-9]{8}:ckpt-step-1$", first.ModelName);
        Assert.Equal(
            [
                $"Created fine-tuning job: {id}",
                $"Validating training file: {done.TrainingFile}",
                "Files validated, moving job to queued state",
                "Fine-tuning job started",
                "Step 1",
                "Step 2",
                $"Checkpoint created at step 1 with Snapshot ID: {first.ModelName}",
                $"New fine-tuned model created: {done.FineTunedModel}",
                "The job has successfully completed",
            ],
            await bed.MessagesAsync(id));
        Assert.Equal(
            [last.ModelName, first.ModelName], (await bed.Store.ListModelsAsync(default)).Select(m => m.Name));
        Assert.False((await bed.Store.GetModelAsync(last.ModelName, default))!.IsCheckpoint);
        Assert.True((await bed.Store.GetModelAsync(first.ModelName, default))!.IsCheckpoint);
    }

    [Fact]
    public async Task A_finish_whose_answer_was_lost_can_be_repeated()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        await bed.SaveCheckpointAsync(run.Run.Lease, 2, final: true);
        Job first = (await bed.FinishAsync(run.Run.Lease))!;
        int events = (await bed.MessagesAsync(first.Id)).Count;

        Job second = (await bed.FinishAsync(run.Run.Lease))!;

        Assert.Equal(first.ResultFiles, second.ResultFiles);
        Assert.Equal(events, (await bed.MessagesAsync(first.Id)).Count);
    }

    [Fact]
    public async Task A_finish_without_the_final_checkpoint_is_refused()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        await bed.SaveCheckpointAsync(run.Run.Lease, 2);
        Assert.Null(await bed.FinishAsync(run.Run.Lease));
        Assert.Equal(JobStatus.Running, (await bed.JobAsync(run.Job.Id)).Status);
    }

    [Fact]
    public async Task Cancel_of_a_running_job_wins_over_a_late_success()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        await bed.SaveStateAsync(run.Run.Lease, 1);
        await bed.SaveCheckpointAsync(run.Run.Lease, 2, final: true);

        JobChange change = await bed.Store.CancelAsync(run.Job.Id, default);

        Assert.Equal(JobStatus.Cancelled, change.Job!.Status);
        Assert.Null(await bed.FinishAsync(run.Run.Lease));
        Assert.Equal(RunDirective.Stop, await bed.Store.HeartbeatAsync(
            run.Run.Lease, StoreBed.LeaseTime, new RunProgress(2, null), default));
        Assert.Equal(RunDirective.Stop, await bed.SaveStateAsync(run.Run.Lease, 3));
        Assert.Null(await bed.SaveCheckpointAsync(run.Run.Lease, 3));
        Assert.Single(await bed.Store.ListActiveRunsAsync(default));
        Assert.True(await bed.Store.ReleaseAsync(run.Run.Lease, default));
        Assert.Empty(await bed.Store.ListActiveRunsAsync(default));
        Assert.Equal(JobStatus.Cancelled, (await bed.JobAsync(run.Job.Id)).Status);
        Assert.Equal("The job was cancelled", (await bed.MessagesAsync(run.Job.Id))[^1]);
        Assert.Empty(await bed.Store.ListRunStatesAsync(run.Job.Id, default));
    }

    [Fact]
    public async Task A_paused_worker_may_save_and_then_lets_go_and_the_resumed_job_goes_on()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        Assert.Equal(JobStatus.Paused, (await bed.Store.PauseAsync(run.Job.Id, default)).Job!.Status);
        Assert.Equal(RunDirective.Pause, await bed.Store.HeartbeatAsync(
            run.Run.Lease, StoreBed.LeaseTime, new RunProgress(4, null), default));
        Assert.Equal(RunDirective.Pause, await bed.SaveStateAsync(run.Run.Lease, 4));
        Assert.NotNull(await bed.SaveCheckpointAsync(run.Run.Lease, 4));

        // Resumed before the worker let go: nobody else may take the job yet.
        Assert.Equal(JobStatus.Queued, (await bed.Store.ResumeAsync(run.Job.Id, default)).Job!.Status);
        Assert.Null(await bed.ClaimAsync());
        Assert.True(await bed.Store.ReleaseAsync(run.Run.Lease, default));

        ClaimedRun second = (await bed.ClaimAsync())!;
        Assert.Equal(2, second.Run.Fence);
        Assert.Equal(4, (await bed.Store.ListRunStatesAsync(run.Job.Id, default))[0].Step);
        Assert.Equal("Fine-tuning job continues from step 4", (await bed.MessagesAsync(run.Job.Id))[^1]);
    }

    [Fact]
    public async Task Moves_that_the_status_does_not_allow_change_nothing()
    {
        await using StoreBed bed = new();
        Job job = await bed.SubmitAsync();
        Assert.Equal(JobChangeOutcome.WrongStatus, (await bed.Store.PauseAsync(job.Id, default)).Outcome);
        Assert.Equal(JobChangeOutcome.WrongStatus, (await bed.Store.ResumeAsync(job.Id, default)).Outcome);
        await bed.Store.CancelAsync(job.Id, default);
        JobChange again = await bed.Store.CancelAsync(job.Id, default);
        Assert.Equal(JobChangeOutcome.WrongStatus, again.Outcome);
        Assert.Equal(JobStatus.Cancelled, again.Job!.Status);
        Assert.Null(await bed.Store.AcceptFilesAsync(job.Id, "{}", default));
        Assert.Null(await bed.Store.RejectFilesAsync(job.Id, new JobError("x", "y", null), default));
        Assert.Equal(3, (await bed.MessagesAsync(job.Id)).Count);
        Assert.Equal(JobChangeOutcome.NotFound, (await bed.Store.CancelAsync("ftjob-no", default)).Outcome);
    }

    [Fact]
    public async Task Rejected_files_fail_the_job_with_the_reason()
    {
        await using StoreBed bed = new();
        Job job = await bed.SubmitAsync();
        Assert.Equal(job.Id, (await bed.Store.NextToValidateAsync(default))!.Id);
        JobError error = new("invalid_n_examples", "Training file has 7 example(s)", "training_file");
        Job failed = (await bed.Store.RejectFilesAsync(job.Id, error, default))!;
        Assert.Equal(error, failed.Error);
        Assert.NotNull(failed.FinishedAt);
        JobEvent last = (await bed.Store.ListEventsAsync(job.Id, null, 1, default))!.Items[0];
        Assert.Equal((EventLevel.Error, error.Message), (last.Level, last.Message));
        Assert.Null(await bed.Store.NextToValidateAsync(default));
    }

    [Fact]
    public async Task A_job_with_a_missing_file_is_not_stored()
    {
        await using StoreBed bed = new();
        StoredFile file = await bed.AddFileAsync(expires: bed.Time.GetUtcNow() + TimeSpan.FromHours(1));
        Submission missing = await bed.Store.SubmitAsync(
            StoreBed.Request(file) with { ValidationFile = "file-none" }, default);
        Assert.Equal((SubmissionOutcome.FileMissing, "file-none"), (missing.Outcome, missing.MissingId));
        bed.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(SubmissionOutcome.FileMissing, (await bed.Store.SubmitAsync(StoreBed.Request(file), default)).Outcome);
        StoredFile fresh = await bed.AddFileAsync();
        Assert.Equal(SubmissionOutcome.ModelMissing, (await bed.Store.SubmitAsync(
            StoreBed.Request(fresh) with { Model = "ft:nano:personal::AAAAAAAA" }, default)).Outcome);
        Assert.Empty((await bed.Store.ListJobsAsync(null, 10, null, default))!.Items);
    }

    [Fact]
    public async Task The_same_idempotency_key_gives_the_same_job_for_a_day()
    {
        await using StoreBed bed = new();
        NewJob request = StoreBed.Request(await bed.AddFileAsync()) with { IdempotencyKey = new("key_1:abc", "hash-1") };
        Submission[] all = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Task.Run(() => bed.Store.SubmitAsync(request, default))));
        Assert.Single(all, s => s.Outcome == SubmissionOutcome.Created);
        Assert.Single(all.Select(s => s.Job!.Id).Distinct());

        await bed.ReopenAsync();
        Assert.Equal(SubmissionOutcome.Replayed, (await bed.Store.SubmitAsync(request, default)).Outcome);
        Submission other = await bed.Store.SubmitAsync(
            request with { IdempotencyKey = new("key_1:abc", "hash-2") }, default);
        Assert.Equal(SubmissionOutcome.KeyReused, other.Outcome);
        bed.Time.Advance(TimeSpan.FromHours(25));
        Assert.Equal(SubmissionOutcome.Created, (await bed.Store.SubmitAsync(request, default)).Outcome);
    }

    [Fact]
    public async Task The_schema_refuses_nonsense_rows()
    {
        await using StoreBed bed = new();
        Job job = await bed.SubmitAsync();
        await using SqliteConnection connection = new($"Data Source={bed.DatabasePath};Pooling=False;Foreign Keys=True");
        await connection.OpenAsync();
        string[] nonsense =
        [
            "UPDATE jobs SET status = 'finished'",
            "UPDATE jobs SET status = 'failed', finished_at = 1",
            "UPDATE jobs SET status = 'queued', finished_at = 1",
            "UPDATE jobs SET status = 'cancelled'",
            "UPDATE jobs SET run_id = 'run-none'",
            "UPDATE jobs SET fence = -1",
            "UPDATE jobs SET hyperparameters = '{'",
            "DELETE FROM jobs",
            "UPDATE events SET message = ''",
            $"INSERT INTO events VALUES ('{job.Id}', 9, 'ftevent-x', 1, 'info', 'gap', NULL, NULL)",
            "INSERT INTO events VALUES ('ftjob-none', 1, 'ftevent-x', 1, 'info', 'no job', NULL, NULL)",
        ];
        foreach (string sql in nonsense)
        {
            await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this test.
            command.CommandText = sql;
#pragma warning restore CA2100
            await Assert.ThrowsAsync<SqliteException>(() => command.ExecuteNonQueryAsync());
        }
    }
}
