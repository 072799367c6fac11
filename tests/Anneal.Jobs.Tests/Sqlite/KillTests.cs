using System.Diagnostics;
using Anneal.Jobs.Blobs;
using Anneal.Jobs.Sqlite;

namespace Anneal.Jobs.Tests.Sqlite;

/// <summary>Real processes, killed with SIGKILL in the middle of writing.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task What_a_killed_process_had_confirmed_is_all_there_and_nothing_is_half_there()
    {
        string folder = Directory.CreateTempSubdirectory("anneal-kill-").FullName;
        try
        {
            List<string> confirmed = [];
            Random random = new(20261121);
            for (int round = 0; round < 4; round++)
            {
                int before = confirmed.Count;
                await WriteAndKillAsync(folder, confirmed, lines: 5 + random.Next(120), random.Next(12));
                Assert.True(confirmed.Count > before);
                await CheckAsync(folder, confirmed);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task WriteAndKillAsync(string folder, List<string> confirmed, int lines, int thenMilliseconds)
    {
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardOutput = true,
            ArgumentList = { typeof(KillTests).Assembly.Location, "write-until-killed", folder },
        };
        using Process process = Process.Start(start)!;
        for (int i = 0; i < lines; i++)
        {
            confirmed.Add(await process.StandardOutput.ReadLineAsync()
                ?? throw new InvalidOperationException("The writer ended by itself."));
        }

        await Task.Delay(thenMilliseconds);
        process.Kill();
        // Lines that were in the pipe when it died are confirmations too; a last one without its end is not.
        string rest = await process.StandardOutput.ReadToEndAsync();
        confirmed.AddRange(rest.Split('\n')[..^1]);
        await process.WaitForExitAsync();
    }

    private static async Task CheckAsync(string folder, List<string> confirmed)
    {
        await using SqliteStore store = SqliteStore.Open(Path.Combine(folder, "anneal.db"), TimeProvider.System);
        LocalBlobs blobs = new(folder);
        foreach (string[] line in confirmed.Select(l => l.Split(' ')))
        {
            switch (line[0])
            {
                case "file":
                    StoredFile file = (await store.GetFileAsync(line[1], default))!;
                    Assert.True(await blobs.VerifyAsync(file.BlobKey, file.Bytes, file.Sha256, default));
                    break;
                case "job":
                    Assert.NotNull(await store.GetJobAsync(line[1], default));
                    break;
                default:
                    Assert.Contains(
                        await store.ListEventsSinceAsync(line[1], 0, 1000, default),
                        e => e.Step == int.Parse(line[2]));
                    break;
            }
        }

        foreach (Job job in (await store.ListJobsAsync(null, 10_000, null, default))!.Items)
        {
            IReadOnlyList<JobEvent> events = await store.ListEventsSinceAsync(job.Id, 0, 1000, default);
            Assert.True(events.Count >= 2, "A job without its first events.");
            Assert.Equal(Enumerable.Range(1, events.Count).Select(i => (long)i), events.Select(e => e.Sequence));
            Assert.Equal(job.Status == JobStatus.Running, job.RunId is not null);
        }
    }
}
