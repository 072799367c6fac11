using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Anneal.Api.Tests.Runs;

/// <summary>The server is killed with SIGKILL while a job runs, and started again on the same data.</summary>
public sealed class ServerKillTests
{
    [Fact]
    public async Task After_a_kill_of_the_server_everything_is_as_it_was_and_the_job_goes_on()
    {
        int port = FreePort();
        await using RunBed bed = await RunBed.StartProcessAsync(port);
        string training = await bed.UploadAsync(RunBed.Examples(40, seed: 5, words: 16));
        string calm = await bed.CreateJobAsync(training, epochs: 40, batchSize: 1);
        JsonNode undisturbed = await bed.WaitForAsync(calm, "succeeded", "failed");

        string id = await bed.CreateJobAsync(training, epochs: 40, batchSize: 1);
        Random random = new(72);
        for (int kill = 0, reached = 0; kill < 3; kill++)
        {
            await bed.BeyondAsync(id, reached);
            await Task.Delay(random.Next(300));
            List<JsonNode> before = await bed.EventsAsync(id);
            reached = await bed.StepAsync(id);
            await bed.KillServerAsync();
            if (kill == 1)
            {
                // This time the worker dies too: the new server must notice by itself.
                (await bed.WorkersAsync()).ForEach(w => w.Kill());
            }
            await bed.StartAgainAsync(port);

            List<JsonNode> after = await bed.EventsAsync(id);
            Assert.Equal(before.Select(e => e.ToJsonString()), after.Take(before.Count).Select(e => e.ToJsonString()));
            Assert.Equal(undisturbed.ToJsonString(), (await bed.JobAsync(calm)).ToJsonString());
        }

        JsonNode job = await bed.WaitForAsync(id, "succeeded", "failed");
        Assert.Equal("succeeded", (string?)job["status"]);
        await WorkerKillTests.AssertSameOutcomeAsync(bed, undisturbed, job);
    }

    [Fact]
    public async Task An_orderly_end_of_the_server_saves_the_job_and_leaves_no_worker()
    {
        int port = FreePort();
        await using RunBed bed = await RunBed.StartProcessAsync(port);
        string id = await bed.CreateJobAsync(await bed.UploadAsync(RunBed.Examples(40, seed: 5, words: 16)), epochs: 50, batchSize: 1);
        await bed.BeyondAsync(id, 10);
        Process worker = await bed.WorkerAsync();
        await bed.TerminateServerAsync();
        Assert.True(worker.HasExited || worker.WaitForExit(1000));
        await bed.StartAgainAsync(port);
        await bed.BeyondAsync(id, await bed.StepAsync(id));
        List<string> messages = [.. (await bed.EventsAsync(id)).Select(e => (string)e["message"]!)];
        Assert.Contains(messages, m => m.StartsWith("Fine-tuning job continues from step", StringComparison.Ordinal));
        Assert.DoesNotContain(messages, m => m.Contains("unexpectedly", StringComparison.Ordinal));
    }

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
