using Anneal.Jobs.Sqlite;

namespace Anneal.Jobs.Tests.Sqlite;

public sealed class ListTests
{
    [Fact]
    public async Task Jobs_are_paged_newest_first_without_loss_or_repetition()
    {
        await using StoreBed bed = new();
        StoredFile file = await bed.AddFileAsync();
        List<string> made = [];
        for (int i = 0; i < 7; i++)
        {
            made.Add((await bed.SubmitAsync(file)).Id);
        }

        List<string> seen = [];
        string? after = null;
        Page<Job> page;
        do
        {
            page = (await bed.Store.ListJobsAsync(after, 3, null, default))!;
            seen.AddRange(page.Items.Select(j => j.Id));
            after = seen[^1];
        }
        while (page.HasMore);

        Assert.Equal(Enumerable.Reverse(made), seen);
        Page<Job> end = (await bed.Store.ListJobsAsync(after, 3, null, default))!;
        Assert.Empty(end.Items);
        Assert.False(end.HasMore);
        Assert.Null(await bed.Store.ListJobsAsync("ftjob-unknown", 3, null, default));
    }

    [Fact]
    public async Task Jobs_are_filtered_by_every_metadata_pair_asked_for()
    {
        await using StoreBed bed = new();
        StoredFile file = await bed.AddFileAsync();
        async Task<string> Add(Dictionary<string, string>? metadata) =>
            (await bed.Store.SubmitAsync(StoreBed.Request(file) with { Metadata = metadata }, default)).Job!.Id;
        string none = await Add(null);
        string empty = await Add([]);
        string red = await Add(new() { ["colour"] = "red", ["it's"] = "\"odd\" 1" });
        string both = await Add(new() { ["colour"] = "red", ["size"] = "1" });

        async Task<IEnumerable<string>> List(bool isNone, params (string, string)[] pairs) =>
            (await bed.Store.ListJobsAsync(
                null, 10, new MetadataFilter(pairs.ToDictionary(p => p.Item1, p => p.Item2), isNone), default))!
            .Items.Select(j => j.Id);
        Assert.Equal([both, red], await List(false, ("colour", "red")));
        Assert.Equal([both], await List(false, ("colour", "red"), ("size", "1")));
        Assert.Equal([red], await List(false, ("it's", "\"odd\" 1")));
        Assert.Empty(await List(false, ("size", "01")));
        Assert.Equal([empty, none], await List(true));
        Assert.Equal([both, red, empty, none], await List(false));
        Assert.Equal("\"odd\" 1", (await bed.JobAsync(red)).Metadata!["it's"]);
    }

    [Fact]
    public async Task Files_are_listed_in_both_directions_and_by_purpose_and_expired_ones_are_gone()
    {
        await using StoreBed bed = new();
        StoredFile a = await bed.AddFileAsync();
        StoredFile b = bed.NewFile("batch");
        await bed.Store.AddFileAsync(b, default);
        StoredFile c = await bed.AddFileAsync(bed.Time.GetUtcNow() + TimeSpan.FromHours(1));

        async Task<IEnumerable<string>> List(string? purpose, string? after, bool oldest) =>
            (await bed.Store.ListFilesAsync(purpose, after, 10, oldest, default))!.Items.Select(f => f.Id);
        Assert.Equal([c.Id, b.Id, a.Id], await List(null, null, oldest: false));
        Assert.Equal([a.Id, b.Id, c.Id], await List(null, null, oldest: true));
        Assert.Equal([c.Id, a.Id], await List("fine-tune", null, oldest: false));
        Assert.Equal([b.Id, c.Id], await List(null, a.Id, oldest: true));
        Assert.Equal(c, await bed.Store.GetFileAsync(c.Id, default));

        bed.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal([b.Id, a.Id], await List(null, null, oldest: false));
        Assert.Equal([b.Id, a.Id], await List(null, c.Id, oldest: false));
        Assert.Null(await bed.Store.GetFileAsync(c.Id, default));
        Assert.Equal(1, await bed.Store.DeleteExpiredFilesAsync(default));
        Assert.Equal([c.BlobKey], await bed.Store.ListDroppedBlobsAsync(10, default));
    }

    [Fact]
    public async Task A_file_in_use_is_kept_until_its_job_is_over()
    {
        await using StoreBed bed = new();
        StoredFile file = await bed.AddFileAsync(bed.Time.GetUtcNow() + TimeSpan.FromHours(1));
        Job job = await bed.SubmitAsync(file);
        Assert.Equal(new Deletion(DeletionOutcome.InUse, job.Id), await bed.Store.DeleteFileAsync(file.Id, default));
        bed.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(0, await bed.Store.DeleteExpiredFilesAsync(default));
        Assert.Null(await bed.Store.GetFileAsync(file.Id, default));
        Assert.Equal(file, await bed.Store.GetJobFileAsync(job.Id, file.Id, default));
        Assert.Null(await bed.Store.GetJobFileAsync(job.Id, (await bed.AddFileAsync()).Id, default));
        await bed.Store.CancelAsync(job.Id, default);
        Assert.Null(await bed.Store.GetJobFileAsync(job.Id, file.Id, default));
        Assert.Equal(DeletionOutcome.Deleted, (await bed.Store.DeleteFileAsync(file.Id, default)).Outcome);
        Assert.Equal(DeletionOutcome.NotFound, (await bed.Store.DeleteFileAsync(file.Id, default)).Outcome);
    }

    [Fact]
    public async Task Events_are_paged_newest_first_and_an_event_of_another_job_is_unknown()
    {
        await using StoreBed bed = new();
        Job job = await bed.SubmitAsync();
        Job other = await bed.SubmitAsync();
        JobEvent newest = (await bed.Store.ListEventsAsync(job.Id, null, 1, default))!.Items[0];
        Page<JobEvent> rest = (await bed.Store.ListEventsAsync(job.Id, newest.Id, 1, default))!;
        Assert.Equal(1, rest.Items[0].Sequence);
        Assert.False(rest.HasMore);
        Assert.Empty((await bed.Store.ListEventsAsync(job.Id, rest.Items[0].Id, 1, default))!.Items);
        Assert.Null(await bed.Store.ListEventsAsync(other.Id, newest.Id, 1, default));
    }

    [Fact]
    public async Task Only_the_newest_checkpoints_are_kept_and_a_model_in_use_stays()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        List<Checkpoint> made = [];
        for (int step = 1; step <= 5; step++)
        {
            made.Add((await bed.SaveCheckpointAsync(run.Run.Lease, step))!);
            if (step == 1)
            {
                Assert.Equal(SubmissionOutcome.Created, (await bed.Store.SubmitAsync(
                    StoreBed.Request(await bed.AddFileAsync()) with { Model = made[0].ModelName }, default)).Outcome);
            }
        }

        Page<Checkpoint> page = (await bed.Store.ListCheckpointsAsync(run.Job.Id, null, 10, default))!;
        Assert.Equal([5, 4, 3, 1], page.Items.Select(c => c.Step));
        Assert.Equal([4, 3], (await bed.Store.ListCheckpointsAsync(run.Job.Id, page.Items[0].Id, 2, default))!
            .Items.Select(c => c.Step));
        Assert.Null(await bed.Store.GetModelAsync(made[1].ModelName, default));
        Assert.Single(await bed.Store.ListDroppedBlobsAsync(10, default));
        Assert.Equal(DeletionOutcome.InUse, (await bed.Store.DeleteModelAsync(made[0].ModelName, default)).Outcome);
        Assert.Equal(DeletionOutcome.Deleted, (await bed.Store.DeleteModelAsync(made[3].ModelName, default)).Outcome);
        Assert.Equal(DeletionOutcome.NotFound, (await bed.Store.DeleteModelAsync(made[3].ModelName, default)).Outcome);
        Assert.Equal(2, (await bed.Store.ListDroppedBlobsAsync(10, default)).Count);
    }

    [Fact]
    public async Task A_checkpoint_sent_again_keeps_the_first_and_drops_the_new_blobs()
    {
        await using StoreBed bed = new();
        ClaimedRun run = await bed.StartAsync();
        NewCheckpoint checkpoint = bed.NewCheckpoint(3);
        Checkpoint first = (await bed.Store.SaveCheckpointAsync(run.Run.Lease, checkpoint, default))!;
        Assert.Equal(first, await bed.Store.SaveCheckpointAsync(run.Run.Lease, checkpoint, default));
        Assert.Empty(await bed.Store.ListDroppedBlobsAsync(10, default));
        NewCheckpoint again = bed.NewCheckpoint(3);
        Assert.Equal(first, await bed.Store.SaveCheckpointAsync(run.Run.Lease, again, default));
        string dropped = Assert.Single(await bed.Store.ListDroppedBlobsAsync(10, default));
        Assert.Equal(again.Files[0].BlobKey, dropped);
        Assert.True(await bed.Store.KnowsBlobAsync(dropped, default));
        await bed.Store.ForgetDroppedBlobAsync(dropped, default);
        Assert.False(await bed.Store.KnowsBlobAsync(dropped, default));
        Assert.True(await bed.Store.KnowsBlobAsync(checkpoint.Files[0].BlobKey, default));
    }

    [Fact]
    public async Task Keys_are_found_by_hash_until_they_are_revoked()
    {
        await using StoreBed bed = new();
        string secret = Ids.Secret("sk-");
        ApiKey key = new()
        {
            Id = Ids.Key(),
            Name = "first",
            Hash = Ids.HashSecret(secret),
            Tail = secret[^4..],
            CreatedAt = bed.Time.GetUtcNow(),
        };
        await bed.Store.AddKeyAsync(key, default);
        Assert.Equal(key, await bed.Store.FindKeyAsync(Ids.HashSecret(secret), default));
        Assert.True(await bed.Store.RevokeKeyAsync(key.Id, default));
        Assert.False(await bed.Store.RevokeKeyAsync(key.Id, default));
        Assert.Null(await bed.Store.FindKeyAsync(Ids.HashSecret(secret), default));
        Assert.NotNull(Assert.Single(await bed.Store.ListKeysAsync(default)).RevokedAt);
        byte[] database = await File.ReadAllBytesAsync(bed.DatabasePath + "-wal");
        Assert.True(database.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(key.Hash)) > 0);
        Assert.Equal(-1, database.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(secret)));
    }

    [Fact]
    public async Task A_setting_keeps_its_first_value()
    {
        await using StoreBed bed = new();
        Assert.Equal("org-1", await bed.Store.GetOrAddSettingAsync("organization", "org-1", default));
        await bed.ReopenAsync();
        Assert.Equal("org-1", await bed.Store.GetOrAddSettingAsync("organization", "org-2", default));
    }

    [Fact]
    public async Task A_database_of_a_newer_version_or_another_kind_is_refused_and_left_alone()
    {
        await using StoreBed bed = new();
        await bed.Store.DisposeAsync();
        using (Microsoft.Data.Sqlite.SqliteConnection connection = new($"Data Source={bed.DatabasePath};Pooling=False"))
        {
            connection.Open();
            SqliteSession.Run(connection, "PRAGMA user_version = 99");
        }

        InvalidDataException newer = Assert.Throws<InvalidDataException>(() => SqliteStore.Open(bed.DatabasePath, bed.Time));
        Assert.Contains("version 99", newer.Message, StringComparison.Ordinal);

        string other = Path.Combine(bed.Folder, "other.db");
        await File.WriteAllTextAsync(other, new string('x', 5000));
        Assert.Throws<InvalidDataException>(() => SqliteStore.Open(other, bed.Time));
        Assert.Equal(new string('x', 5000), await File.ReadAllTextAsync(other));
    }

    [Fact]
    public void Every_statement_file_has_a_reason_and_ids_have_the_published_shape()
    {
        foreach (string name in SqlText.Names)
        {
            Assert.StartsWith("-- ", SqlText.Get(name), StringComparison.Ordinal);
        }

        Assert.Matches("^ftjob-[A-Za-z0-9]{24}$", Ids.Job());
        Assert.Matches("^ftevent-[A-Za-z0-9]{24}$", Ids.Event());
        Assert.Matches("^ftckpt_[A-Za-z0-9]{24}$", Ids.Checkpoint());
        Assert.Matches("^file-[A-Za-z0-9]{24}$", Ids.File());
        Assert.Equal(10_000, Enumerable.Range(0, 10_000).Select(_ => Ids.Job()).Distinct().Count());
        Assert.Matches("^ft:base:org:my-suffix:[A-Za-z0-9]{8}$", Ids.ModelName("base", "org", "my-suffix"));
    }
}
