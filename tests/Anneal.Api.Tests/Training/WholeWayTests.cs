#pragma warning disable OPENAI001 // Parts of the official client are marked experimental.
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Api.Tests.Sdk;
using Anneal.Server.Runs;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Files;
using OpenAI.FineTuning;

namespace Anneal.Api.Tests.Training;

/// <summary>From a file to an answering model, with real workers as child processes and real training of the tiny checkpoint.</summary>
public sealed class WholeWayTests
{
    [Fact]
    public async Task The_node_client_goes_the_whole_way()
    {
        await using TestServer server = await StartAsync();
        await NodeScript.RunAsync(server, "training.mjs");
    }

    [Fact]
    public async Task The_dotnet_client_goes_the_whole_way()
    {
        await using TestServer server = await StartAsync();
        OpenAIClient client = server.Sdk();
        OpenAIFile file = await client.GetOpenAIFileClient().UploadFileAsync(
            BinaryData.FromBytes(Requests.TrainingFile()), "train.jsonl", FileUploadPurpose.FineTune);
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(5));
        FineTuningJob job = await client.GetFineTuningClient().FineTuneAsync(
            TestServer.BaseModel, file.Id, waitUntilCompleted: true, cancellationToken: late.Token);
        Assert.Equal(FineTuningStatus.Succeeded, job.Status);
        HyperparametersForSupervised chosen = Assert.IsType<HyperparametersForSupervised>(job.MethodHyperparameters);
        // 12 examples: 100 / 12 epochs of batches of one.
        Assert.Equal((8, 1), (chosen.EpochCount, chosen.BatchSize));

        List<FineTuningCheckpoint> checkpoints = [];
        await foreach (FineTuningCheckpoint checkpoint in job.GetCheckpointsAsync(new GetCheckpointsOptions { PageSize = 2 }))
        {
            checkpoints.Add(checkpoint);
        }
        Assert.Equal([96, 84, 72], checkpoints.Select(c => c.StepNumber));
        ChatCompletion answer = await client.GetChatClient(checkpoints[0].ModelId).CompleteChatAsync(
            [ChatMessage.CreateUserMessage("What is 3 plus 1?")], new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 4 });
        Assert.Equal(ChatMessageRole.Assistant, answer.Role);
    }

    [Theory]
    [InlineData(7, null, "invalid_n_examples", "Training file has 7 example(s), but must have at least 10 examples")]
    [InlineData(12, """{"messages":[{"role":"user","content":"x"},{"content":"y"}]}""", "invalid_training_file", "role")]
    [InlineData(12, """{"messages":[{"role":"user","content":"x"}]}""", "invalid_training_file", "assistant")]
    [InlineData(12, """{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}],"mood":1}""", "invalid_training_file", "mood")]
    public async Task A_bad_training_file_fails_the_job_and_names_the_line(int good, string? bad, string code, string words)
    {
        await using TestServer server = await StartAsync();
        byte[] bytes = [.. Requests.TrainingFile(good), .. Encoding.UTF8.GetBytes(bad is null ? "" : bad + "\n")];
        string file = (await server.UploadAsync(bytes)).Text("id");
        JsonElement job = await server.PostJsonAsync(
            "/v1/fine_tuning/jobs", new JsonObject { ["model"] = TestServer.BaseModel, ["training_file"] = file });
        job = await WaitAsync(server, job.Text("id"));
        Assert.Equal("failed", job.Text("status"));
        JsonElement error = job.GetProperty("error");
        Assert.Equal((code, "training_file"), (error.Text("code"), error.Text("param")));
        Assert.Contains(words, error.Text("message"), StringComparison.Ordinal);
        if (bad is not null)
        {
            Assert.Contains("13", error.Text("message"), StringComparison.Ordinal);
        }
        JsonElement events = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{job.Text("id")}/events?limit=1");
        Assert.Equal("error", events.GetProperty("data")[0].Text("level"));
    }

    [Fact]
    public async Task A_running_job_can_be_cancelled_and_its_worker_lets_go()
    {
        await using TestServer server = await StartAsync();
        string file = await server.UploadTrainingFileAsync(200);
        JsonElement job = await server.PostJsonAsync("/v1/fine_tuning/jobs", new JsonObject
        {
            ["model"] = TestServer.BaseModel,
            ["training_file"] = file,
            ["hyperparameters"] = new JsonObject { ["n_epochs"] = 50, ["batch_size"] = 1 },
        });
        string id = job.Text("id");
        await WaitForStepAsync(server, id);
        using HttpResponseMessage response = await server.Http.PostAsync($"/v1/fine_tuning/jobs/{id}/cancel", null);
        Assert.Equal("cancelled", (await response.ReadAsync(HttpStatusCode.OK)).Text("status"));
        for (int i = 0; (await server.Store.ListActiveRunsAsync(default)).Count > 0; i++)
        {
            Assert.True(i < 300, "The worker still holds its run.");
            await Task.Delay(100);
        }
        Assert.Equal("cancelled", (await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}")).Text("status"));
    }

    [Fact]
    public async Task A_tuned_model_can_be_tuned_on()
    {
        await using TestServer server = await StartAsync();
        string file = await server.UploadTrainingFileAsync();
        JsonObject body = new()
        {
            ["model"] = TestServer.BaseModel,
            ["training_file"] = file,
            ["hyperparameters"] = new JsonObject { ["n_epochs"] = 1, ["batch_size"] = 4 },
        };
        JsonElement first = await WaitAsync(server, (await server.PostJsonAsync("/v1/fine_tuning/jobs", body)).Text("id"));
        Assert.Equal("succeeded", first.Text("status"));
        body["model"] = first.Text("fine_tuned_model");
        JsonElement second = await WaitAsync(server, (await server.PostJsonAsync("/v1/fine_tuning/jobs", body)).Text("id"));
        Assert.Equal("succeeded", second.Text("status"));
        Assert.StartsWith($"ft:{TestServer.BaseModel}:personal::", second.Text("fine_tuned_model"), StringComparison.Ordinal);
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(change: options => options with
    {
        LaunchWorkers = true,
        WorkerCommand = ["dotnet", typeof(WholeWayTests).Assembly.Location, "worker"],
        Runs = new RunOptions { Heartbeat = TimeSpan.FromMilliseconds(200) },
    });

    private static async Task<JsonElement> WaitAsync(TestServer server, string id)
    {
        for (int i = 0; ; i++)
        {
            JsonElement job = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}");
            if (job.Text("status") is "succeeded" or "failed" or "cancelled")
            {
                return job;
            }
            Assert.True(i < 2400, $"The job is still {job.Text("status")}.");
            await Task.Delay(100);
        }
    }

    private static async Task WaitForStepAsync(TestServer server, string id)
    {
        for (int i = 0; ; i++)
        {
            JsonElement events = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/events?limit=1");
            if (events.GetProperty("data")[0].Text("type") == "metrics")
            {
                return;
            }
            Assert.True(i < 1200, "Training does not start.");
            await Task.Delay(100);
        }
    }
}
