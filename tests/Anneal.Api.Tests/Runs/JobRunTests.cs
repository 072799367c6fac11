using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Anneal.Api.Tests.Runs;

/// <summary>Whole jobs, by real worker processes.</summary>
public sealed class JobRunTests
{
    [Fact]
    public async Task A_job_trains_and_leaves_model_checkpoints_events_and_result_file()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string training = await bed.UploadAsync(RunBed.Examples(12, seed: 1));
        string validation = await bed.UploadAsync(RunBed.Examples(4, seed: 2));
        string id = await bed.CreateJobAsync(training, epochs: 4, batchSize: 5, validation);

        JsonNode job = await bed.WaitForAsync(id, "succeeded", "failed");

        Assert.Equal("succeeded", (string?)job["status"]);
        string model = (string)job["fine_tuned_model"]!;
        Assert.Matches("^ft:tiny-llama:personal:kill:[A-Za-z0-9]{8}$", model);
        Assert.True((long)job["trained_tokens"]! > 4 * 12 * 10);
        Assert.Null(job["estimated_finish"]);
        Assert.True((double)job["hyperparameters"]!["learning_rate_multiplier"]! > 0);

        List<JsonNode> events = await bed.EventsAsync(id);
        List<string> messages = [.. events.Select(e => (string)e["message"]!)];
        Assert.Equal(
            [
                $"Created fine-tuning job: {id}",
                $"Validating training file: {training} and validation file: {validation}",
                "Files validated, moving job to queued state",
                "Fine-tuning job started",
            ],
            messages.Take(4));
        List<JsonNode> metrics = [.. events.Where(e => (string?)e["type"] == "metrics")];
        Assert.Equal(Enumerable.Range(1, 12), metrics.Select(e => (int)e["data"]!["step"]!));
        Assert.All(metrics, e => Assert.Matches(
            @"^Step \d+/12: training loss=\d+\.\d\d(, validation loss=\d+\.\d\d)?(, full validation loss=\d+\.\d\d)?$",
            (string)e["message"]!));
        Assert.Equal([3, 6, 9, 12], metrics.Where(e => e["data"]!["full_valid_loss"] is not null).Select(e => (int)e["data"]!["step"]!));
        Assert.True((double)metrics[^1]["data"]!["train_loss"]! < (double)metrics[0]["data"]!["train_loss"]!);

        JsonArray checkpoints = (await bed.GetAsync($"/v1/fine_tuning/jobs/{id}/checkpoints"))["data"]!.AsArray();
        Assert.Equal([12, 9, 6], checkpoints.Select(c => (int)c!["step_number"]!));
        Assert.Equal(model, (string?)checkpoints[0]!["fine_tuned_model_checkpoint"]);
        Assert.Equal(
            [
                $"Checkpoint created at step 6 with Snapshot ID: {checkpoints[2]!["fine_tuned_model_checkpoint"]}",
                $"Checkpoint created at step 9 with Snapshot ID: {checkpoints[1]!["fine_tuned_model_checkpoint"]}",
                $"New fine-tuned model created: {model}",
                "The job has successfully completed",
            ],
            messages.TakeLast(4));
        Assert.Equal(16 + 4, messages.Count);
        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors"], (await bed.WeightsAsync(model)).Keys);
        CheckTable(await bed.ContentAsync((string)job["result_files"]![0]!), metrics);
    }

    [Fact]
    public async Task A_second_job_goes_on_from_the_first_ones_model()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string training = await bed.UploadAsync(RunBed.Examples(10, seed: 1));
        string first = await bed.CreateJobAsync(training, epochs: 8, batchSize: 2);
        JsonNode done = await bed.WaitForAsync(first, "succeeded", "failed");
        string model = (string)done["fine_tuned_model"]!;

        string second = await bed.CreateJobAsync(training, epochs: 1, batchSize: 2, model: model);
        JsonNode again = await bed.WaitForAsync(second, "succeeded", "failed");

        Assert.Equal("succeeded", (string?)again["status"]);
        Assert.StartsWith("ft:tiny-llama:personal:kill:", (string)again["fine_tuned_model"]!, StringComparison.Ordinal);
        Assert.True(await FirstLossAsync(bed, second) < 0.9 * await FirstLossAsync(bed, first));
    }

    [Fact]
    public async Task Auto_hyperparameters_are_numbers_once_the_job_is_queued()
    {
        await using RunBed bed = await RunBed.StartAsync();
        JsonNode job = await bed.CreateAutoJobAsync(await bed.UploadAsync(RunBed.Examples(12, seed: 3)));
        JsonNode queued = await bed.WaitForAsync((string)job["id"]!, "queued", "running", "succeeded");
        foreach (JsonNode hyperparameters in (JsonNode[])
            [queued["hyperparameters"]!, queued["method"]!["supervised"]!["hyperparameters"]!])
        {
            Assert.Equal(8, (int)hyperparameters["n_epochs"]!);
            Assert.Equal(1, (int)hyperparameters["batch_size"]!);
            Assert.Equal(1.0, (double)hyperparameters["learning_rate_multiplier"]!);
        }
    }

    [Fact]
    public async Task A_training_file_with_too_few_examples_fails_the_job_in_upstreams_words()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string id = await bed.CreateJobAsync(await bed.UploadAsync(RunBed.Examples(7, seed: 1)), epochs: 1, batchSize: 1);
        JsonNode job = await bed.WaitForAsync(id, "failed", "succeeded");
        Assert.Equal("invalid_n_examples", (string?)job["error"]!["code"]);
        Assert.Equal("training_file", (string?)job["error"]!["param"]);
        Assert.Equal(
            "Training file has 7 example(s), but must have at least 10 examples", (string?)job["error"]!["message"]);
        Assert.NotNull(job["finished_at"]);
        Assert.Equal("error", (string?)(await bed.EventsAsync(id))[^1]["level"]);
    }

    [Fact]
    public async Task A_faulty_line_fails_the_job_and_is_named()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string good = RunBed.Examples(12, seed: 1);
        string bad = good + """{"messages":[{"content":"no role"}]}""" + "\n";
        string training = await bed.UploadAsync(bad);
        JsonNode job = await bed.WaitForAsync(await bed.CreateJobAsync(training, 1, 1), "failed", "succeeded");
        Assert.Equal("invalid_training_file", (string?)job["error"]!["code"]);
        Assert.StartsWith(
            "The job failed due to an invalid training file. Invalid file format. Example 13, ",
            (string?)job["error"]!["message"], StringComparison.Ordinal);

        JsonNode other = await bed.WaitForAsync(
            await bed.CreateJobAsync(await bed.UploadAsync(good), 1, 1, training), "failed", "succeeded");
        Assert.Equal("invalid_validation_file", (string?)other["error"]!["code"]);
        Assert.Equal("validation_file", (string?)other["error"]!["param"]);
    }

    [Fact]
    public async Task Examples_longer_than_the_context_are_truncated_counted_and_said()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string lines = RunBed.Examples(10, seed: 1) + RunBed.Examples(2, seed: 2, words: 60);
        string id = await bed.CreateJobAsync(await bed.UploadAsync(lines), epochs: 1, batchSize: 4);
        await bed.WaitForAsync(id, "succeeded", "failed");
        JsonNode warning = Assert.Single(await bed.EventsAsync(id), e => (string?)e["level"] == "warn"
            && ((string)e["message"]!).Contains("truncated", StringComparison.Ordinal));
        Assert.StartsWith(
            "2 of 12 training examples are longer than the model's context of 256 tokens", (string?)warning["message"],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_job_stops_within_seconds_and_leaves_no_process()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string id = await bed.CreateJobAsync(await bed.UploadAsync(RunBed.Examples(100, seed: 1, words: 16)), epochs: 50, batchSize: 1);
        await bed.BeyondAsync(id, 5);
        System.Diagnostics.Process worker = await bed.WorkerAsync();
        Assert.Equal("cancelled", (string?)(await bed.PostAsync($"/v1/fine_tuning/jobs/{id}/cancel"))["status"]);
        await worker.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(8));
        JsonNode job = await bed.JobAsync(id);
        Assert.Equal("cancelled", (string?)job["status"]);
        Assert.NotNull(job["finished_at"]);
        Assert.Equal("The job was cancelled", (string?)(await bed.EventsAsync(id))[^1]["message"]);
        await RunBed.UntilAsync(
            () => Task.FromResult(Directory.GetDirectories(Path.Combine(bed.DataFolder, "scratch")).Length == 0), () => "scratch");
    }

    [Fact]
    public async Task A_running_job_says_when_it_expects_to_be_done()
    {
        await using RunBed bed = await RunBed.StartAsync();
        string id = await bed.CreateJobAsync(
            await bed.UploadAsync(RunBed.Examples(200, seed: 1, words: 30)), epochs: 50, batchSize: 1);
        JsonNode job = null!;
        await RunBed.UntilAsync(async () => (job = await bed.JobAsync(id))["estimated_finish"] is not null, () => job.ToJsonString());
        Assert.True((long)job["estimated_finish"]! > TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        await bed.PostAsync($"/v1/fine_tuning/jobs/{id}/cancel");
        Assert.Null((await bed.JobAsync(id))["estimated_finish"]);
    }

    private static async Task<double> FirstLossAsync(RunBed bed, string id) =>
        (double)(await bed.EventsAsync(id)).First(e => (string?)e["type"] == "metrics")["data"]!["train_loss"]!;

    private static void CheckTable(string csv, List<JsonNode> metrics)
    {
        string[] lines = csv.TrimEnd('\n').Split('\n');
        Assert.Equal(
            "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss,full_valid_mean_token_accuracy",
            lines[0]);
        Assert.Equal(metrics.Count, lines.Length - 1);
        foreach ((JsonNode e, string line) in metrics.Zip(lines.Skip(1)))
        {
            string[] cells = line.Split(',');
            Assert.Equal(7, cells.Length);
            Assert.Equal((int)e["data"]!["step"]!, int.Parse(cells[0], CultureInfo.InvariantCulture));
            Assert.Equal((double)e["data"]!["train_loss"]!, double.Parse(cells[1], CultureInfo.InvariantCulture));
            Assert.Equal(e["data"]!["full_valid_loss"] is null, cells[5].Length == 0);
        }
        Assert.DoesNotMatch(new Regex("NaN|null"), csv);
    }
}
