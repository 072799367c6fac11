using Anneal.Jobs.Blobs;
using Anneal.Jobs.Sqlite;

namespace Anneal.Jobs.Tests.Sqlite;

/// <summary>
/// The process that <see cref="KillTests"/> kills: writes to a store as fast as it can and prints a line for each change after
/// the store has confirmed it.
/// </summary>
internal static class DoomedWriter
{
    public static async Task<int> RunAsync(string folder)
    {
        await using SqliteStore store = SqliteStore.Open(Path.Combine(folder, "anneal.db"), TimeProvider.System);
        LocalBlobs blobs = new(folder);
        using Stream output = Console.OpenStandardOutput();
        void Confirm(string line)
        {
            output.Write(System.Text.Encoding.ASCII.GetBytes(line + "\n"));
            output.Flush();
        }

        // Several at once, so that a kill meets commits, queues and blob writes in every stage.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async lane =>
        {
            for (int round = 0; ; round++)
            {
                string fileId = Ids.File();
                byte[] bytes = new byte[50_000 + (1000 * lane)];
                new Random(round).NextBytes(bytes);
                BlobInfo blob = await blobs.WriteAsync($"files/{fileId}", new MemoryStream(bytes), long.MaxValue, default);
                await store.AddFileAsync(
                    new StoredFile
                    {
                        Id = fileId,
                        FileName = "f.jsonl",
                        Purpose = "fine-tune",
                        Bytes = blob.Bytes,
                        Sha256 = blob.Sha256,
                        BlobKey = blob.Key,
                        CreatedAt = TimeProvider.System.GetUtcNow(),
                        Status = FileStatus.Processed,
                    },
                    default);
                Confirm($"file {fileId}");
                NewJob request = new()
                {
                    Model = "nano",
                    BaseModel = "nano",
                    TrainingFile = fileId,
                    Seed = round,
                    HyperparametersJson = "{}",
                };
                string jobId = (await store.SubmitAsync(request, default)).Job!.Id;
                Confirm($"job {jobId}");
                await store.AcceptFilesAsync(jobId, "{}", default);
                if (await store.ClaimAsync(Ids.HashSecret(Ids.Secret("t")), TimeSpan.FromMinutes(1), default) is not { } claimed)
                {
                    continue;
                }

                for (int step = 1; step <= 5; step++)
                {
                    await store.AppendEventsAsync(
                        claimed.Run.Lease, [new RunEvent(step, EventLevel.Info, "step", step, "{}")], default);
                    Confirm($"step {claimed.Job.Id} {step}");
                }
            }
        }));
        return 0;
    }
}
