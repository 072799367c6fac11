using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Anneal.Api.Tests.Runs;

/// <summary>Workers are killed with SIGKILL, paused and stopped; the job must not notice.</summary>
public sealed class WorkerKillTests
{
    /// <summary>Enough work that a fast machine is met in the middle of it several times.</summary>
    private const int Epochs = 40;
    private const int Steps = Epochs * 40;

    private static string Work => RunBed.Examples(40, seed: 5, words: 16);

    [Fact]
    public async Task A_job_whose_workers_are_killed_ends_with_the_bytes_of_an_undisturbed_one()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string training = await bed.UploadAsync(Work);
        string validation = await bed.UploadAsync(RunBed.Examples(5, seed: 6, words: 16));
        string calm = await bed.CreateJobAsync(training, Epochs, batchSize: 1, validation);
        JsonNode undisturbed = await bed.WaitForAsync(calm, "succeeded", "failed");

        string id = await bed.CreateJobAsync(training, Epochs, batchSize: 1, validation);
        Random random = new(71);
        int kills = 0;
        using (Process starting = await bed.WorkerAsync())
        {
            // Once before the first step.
            starting.Kill();
            await starting.WaitForExitAsync();
            kills++;
        }
        for (int reached = 0; kills < 5; kills++)
        {
            await bed.BeyondAsync(id, reached);
            await Task.Delay(random.Next(400));
            reached = await bed.StepAsync(id);
            if ((string?)(await bed.JobAsync(id))["status"] != "running")
            {
                break;
            }
            using Process worker = await bed.WorkerAsync();
            worker.Kill();
            await worker.WaitForExitAsync();
        }

        JsonNode job = await bed.WaitForAsync(id, "succeeded", "failed");
        Assert.Equal("succeeded", (string?)job["status"]);
        Assert.True(kills >= 3, $"Only {kills} kills met the job.");
        await AssertSameOutcomeAsync(bed, undisturbed, job);
        Assert.Contains(
            await bed.EventsAsync(id),
            e => ((string)e["message"]!).StartsWith("Fine-tuning job continues from step", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_paused_job_can_be_called_as_it_stands_and_resumes_to_the_same_bytes()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string training = await bed.UploadAsync(Work);
        string calm = await bed.CreateJobAsync(training, Epochs, batchSize: 1);
        JsonNode undisturbed = await bed.WaitForAsync(calm, "succeeded", "failed");

        string id = await bed.CreateJobAsync(training, Epochs, batchSize: 1);
        await bed.BeyondAsync(id, 7);
        Process worker = await bed.WorkerAsync();
        Assert.Equal("paused", (string?)(await bed.PostAsync($"/v1/fine_tuning/jobs/{id}/pause"))["status"]);
        await worker.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        JsonNode checkpoint = (await bed.GetAsync($"/v1/fine_tuning/jobs/{id}/checkpoints"))["data"]![0]!;
        int step = (int)checkpoint["step_number"]!;
        Assert.Equal(step, await bed.StepAsync(id));
        Assert.True(step < Steps);
        Assert.NotEmpty(await bed.WeightsAsync((string)checkpoint["fine_tuned_model_checkpoint"]!));
        Assert.Equal("paused", (string?)(await bed.JobAsync(id))["status"]);

        Assert.Equal("queued", (string?)(await bed.PostAsync($"/v1/fine_tuning/jobs/{id}/resume"))["status"]);
        JsonNode job = await bed.WaitForAsync(id, "succeeded", "failed");
        Assert.Equal("succeeded", (string?)job["status"]);
        await AssertSameOutcomeAsync(bed, undisturbed, job);
        Assert.Contains(
            await bed.EventsAsync(id), e => (string?)e["message"] == $"Fine-tuning job continues from step {step}");
    }

    [Fact]
    public async Task Three_deaths_before_the_first_step_fail_the_job_with_the_reason()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string id = await bed.CreateJobAsync(await bed.UploadAsync(RunBed.Examples(12, seed: 5)), epochs: 3, batchSize: 1);
        for (int kill = 0; kill < 3; kill++)
        {
            using Process worker = await bed.WorkerAsync();
            worker.Kill();
            await worker.WaitForExitAsync();
        }
        JsonNode job = await bed.WaitForAsync(id, "succeeded", "failed");
        Assert.Equal("failed", (string?)job["status"]);
        Assert.Equal("server_error", (string?)job["error"]!["code"]);
        Assert.Equal(
            "The job failed because its worker stopped unexpectedly 3 times without getting beyond step 0. "
            + "The last time: signal 9",
            (string?)job["error"]!["message"]);
        Assert.Empty(await bed.WorkersAsync());
    }

    /// <summary>Same weights, same loss at every step, same count of tokens.</summary>
    internal static async Task AssertSameOutcomeAsync(RunBed bed, JsonNode undisturbed, JsonNode job)
    {
        Assert.Equal(
            await bed.WeightsAsync((string)undisturbed["fine_tuned_model"]!),
            await bed.WeightsAsync((string)job["fine_tuned_model"]!));
        Assert.Equal((long)undisturbed["trained_tokens"]!, (long)job["trained_tokens"]!);
        Assert.Equal(
            await bed.ContentAsync((string)undisturbed["result_files"]![0]!),
            await bed.ContentAsync((string)job["result_files"]![0]!));
    }
}
