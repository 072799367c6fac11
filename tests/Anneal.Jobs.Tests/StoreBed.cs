using Anneal.Jobs.Sqlite;

namespace Anneal.Jobs.Tests;

/// <summary>A store in a temporary folder with a manual clock, and short ways to the states that tests begin with.</summary>
internal sealed class StoreBed : IAsyncDisposable
{
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);
    private int _blobs;

    public StoreBed()
    {
        Folder = Directory.CreateTempSubdirectory("anneal-jobs-").FullName;
        Store = SqliteStore.Open(DatabasePath, Time);
    }

    public string Folder { get; }

    public string DatabasePath => Path.Combine(Folder, "anneal.db");

    public ManualTimeProvider Time { get; } = new();

    public JobStore Store { get; private set; }

    /// <summary>What a restart of the server does to the store.</summary>
    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = SqliteStore.Open(DatabasePath, Time);
    }

    public StoredFile NewFile(string purpose = "fine-tune", DateTimeOffset? expires = null) => new()
    {
        Id = Ids.File(),
        FileName = "train.jsonl",
        Purpose = purpose,
        Bytes = 10,
        Sha256 = new string('a', 64),
        BlobKey = NewBlob(),
        CreatedAt = Time.GetUtcNow(),
        ExpiresAt = expires,
        Status = FileStatus.Processed,
    };

    public string NewBlob() => $"blobs/{Interlocked.Increment(ref _blobs)}-{Ids.Run()}";

    public async Task<StoredFile> AddFileAsync(DateTimeOffset? expires = null)
    {
        StoredFile file = NewFile(expires: expires);
        await Store.AddFileAsync(file, default);
        return file;
    }

    public static NewJob Request(StoredFile file) => new()
    {
        Model = "nano",
        BaseModel = "nano",
        TrainingFile = file.Id,
        Seed = 7,
        HyperparametersJson = """{"n_epochs":"auto"}""",
    };

    public async Task<Job> SubmitAsync(StoredFile? file = null)
    {
        Submission submission = await Store.SubmitAsync(Request(file ?? await AddFileAsync()), default);
        Assert.Equal(SubmissionOutcome.Created, submission.Outcome);
        return submission.Job!;
    }

    public async Task<Job> QueueAsync()
    {
        Job job = await SubmitAsync();
        return (await Store.AcceptFilesAsync(job.Id, """{"n_epochs":3}""", default))!;
    }

    public async Task<ClaimedRun> StartAsync()
    {
        Job job = await QueueAsync();
        ClaimedRun claimed = (await ClaimAsync())!;
        Assert.Equal(job.Id, claimed.Job.Id);
        return claimed;
    }

    public Task<ClaimedRun?> ClaimAsync() =>
        Store.ClaimAsync(Ids.HashSecret(Ids.Secret("token-")), LeaseTime, default);

    public Task<Checkpoint?> SaveCheckpointAsync(Lease lease, int step, bool final = false) =>
        Store.SaveCheckpointAsync(lease, NewCheckpoint(step, final), default);

    public NewCheckpoint NewCheckpoint(int step, bool final = false) => new(
        Ids.Checkpoint(), step, final, """{"step":1}""",
        [new NamedBlob("adapter_model.safetensors", NewBlob(), 5, new string('b', 64))]);

    public Task<RunDirective> SaveStateAsync(Lease lease, int step) => Store.SaveRunStateAsync(
        lease, new RunStateRef(lease.JobId, step, NewBlob(), 9, new string('c', 64), Time.GetUtcNow()), default);

    public Task<Job?> FinishAsync(Lease lease) =>
        Store.FinishAsync(lease, 1000, NewFile("fine-tune-results"), default);

    public static RunEvent Metric(long sequence, int step) =>
        new(sequence, EventLevel.Info, $"Step {step}", step, """{"train_loss":1.5}""");

    public async Task<List<string>> MessagesAsync(string jobId) =>
        [.. (await Store.ListEventsSinceAsync(jobId, 0, 10_000, default)).Select(e => e.Message)];

    public async Task<Job> JobAsync(string id) => (await Store.GetJobAsync(id, default))!;

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
