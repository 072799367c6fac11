using System.Text.Json.Nodes;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Api.Tests.Jobs;

/// <summary>
/// Plays a worker's part directly on the store, for tests of what the API shows of it. Training itself is tested with real
/// workers elsewhere.
/// </summary>
internal static class PlayedJobs
{
    /// <summary>Creates a job over HTTP and returns its id.</summary>
    public static async Task<string> CreateJobAsync(this TestServer server, JsonObject? metadata = null, string? suffix = null)
    {
        string file = await server.UploadTrainingFileAsync();
        JsonObject body = new()
        {
            ["model"] = TestServer.BaseModel,
            ["training_file"] = file,
            ["suffix"] = suffix,
            ["metadata"] = metadata?.DeepClone(),
        };
        return (await server.PostJsonAsync("/v1/fine_tuning/jobs", body)).Text("id");
    }

    /// <summary>Plays the file check.</summary>
    public static async Task AcceptAsync(this TestServer server, string id) => Assert.NotNull(await server.Store.AcceptFilesAsync(
        id, """{"n_epochs":3,"batch_size":1,"learning_rate_multiplier":1}""", default));

    /// <summary>
    /// Plays a whole training of twenty steps with two checkpoints. Their weights are the adapter of a folder; without one they
    /// are an empty configuration, which no model can load.
    /// </summary>
    public static async Task<Job> PlayToSuccessAsync(this TestServer server, string id, string? adapterFolder = null)
    {
        JobStore store = server.Store;
        await server.AcceptAsync(id);
        ClaimedRun claimed = (await store.ClaimAsync(Ids.HashSecret("token"), TimeSpan.FromMinutes(5), default))!;
        Lease lease = claimed.Run.Lease;
        RunEvent[] steps =
        [
            .. Enumerable.Range(1, 20).Select(step => new RunEvent(
                step, EventLevel.Info, $"Step {step}/20: training loss={2.0 / step:F2}", step,
                $$"""{"step":{{step}},"total_steps":20,"train_loss":{{2.0 / step:F4}},"train_mean_token_accuracy":0.5}""")),
        ];
        Assert.Equal(RunDirective.Continue, await store.AppendEventsAsync(lease, steps, default));
        foreach (int step in new[] { 10, 20 })
        {
            string checkpoint = Ids.Checkpoint();
            List<NamedBlob> files = [];
            foreach ((string name, byte[] bytes) in WeightsOf(adapterFolder))
            {
                files.Add(await server.StoreAsync($"checkpoints/{checkpoint}/{name}", name, bytes));
            }
            Assert.NotNull(await store.SaveCheckpointAsync(
                lease,
                new NewCheckpoint(checkpoint, step, step == 20, $$"""{"step":{{step}},"train_loss":0.5}""", files),
                default));
        }
        NamedBlob csv = await server.StoreAsync(
            $"files/{Ids.File()}", "step_metrics.csv", "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"u8.ToArray());
        StoredFile result = new()
        {
            Id = csv.BlobKey["files/".Length..],
            FileName = csv.Name,
            Purpose = "fine-tune-results",
            Bytes = csv.Bytes,
            Sha256 = csv.Sha256,
            BlobKey = csv.BlobKey,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Status = FileStatus.Processed,
        };
        return (await store.FinishAsync(lease, 1234, result, default))!;
    }

    private static IEnumerable<(string Name, byte[] Bytes)> WeightsOf(string? folder) => folder is null
        ? [("adapter_config.json", "{}"u8.ToArray())]
        : Directory.EnumerateFiles(folder).Select(path => (Path.GetFileName(path), File.ReadAllBytes(path)));

    private static async Task<NamedBlob> StoreAsync(this TestServer server, string key, string name, byte[] bytes)
    {
        IBlobStore blobs = server.App.Services.GetRequiredService<IBlobStore>();
        using MemoryStream content = new(bytes);
        BlobInfo info = await blobs.WriteAsync(key, content, bytes.Length, default);
        return new NamedBlob(name, info.Key, info.Bytes, info.Sha256);
    }
}
