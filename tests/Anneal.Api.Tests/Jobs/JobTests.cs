using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Jobs;

namespace Anneal.Api.Tests.Jobs;

/// <summary>The life of a job as seen over HTTP, without a worker: what happens after a claim is played on the store.</summary>
public sealed class JobTests
{
    [Fact]
    public async Task A_created_job_echoes_what_was_asked_and_auto_for_the_rest()
    {
        await using TestServer server = await TestServer.StartAsync();
        string file = await server.UploadTrainingFileAsync();
        string validation = await server.UploadTrainingFileAsync();
        JsonElement job = await server.PostJsonAsync("/v1/fine_tuning/jobs", new JsonObject
        {
            ["model"] = TestServer.BaseModel,
            ["training_file"] = file,
            ["validation_file"] = validation,
            ["suffix"] = "my tickets",
            ["seed"] = 42,
            ["metadata"] = new JsonObject { ["team"] = "blue" },
            ["method"] = new JsonObject
            {
                ["type"] = "supervised",
                ["supervised"] = new JsonObject { ["hyperparameters"] = new JsonObject { ["n_epochs"] = 3.0 } },
            },
        });
        Assert.Matches("^ftjob-[A-Za-z0-9]{24}$", job.Text("id"));
        Assert.Equal("fine_tuning.job", job.Text("object"));
        Assert.Equal("validating_files", job.Text("status"));
        Assert.Equal((TestServer.BaseModel, file, validation), (job.Text("model"), job.Text("training_file"), job.Text("validation_file")));
        Assert.Equal(42, job.GetProperty("seed").GetInt32());
        Assert.Equal("blue", job.GetProperty("metadata").Text("team"));
        Assert.Equal("my tickets", job.Text("user_provided_suffix"));
        Assert.Equal("[]", job.GetProperty("integrations").GetRawText());
        Assert.Equal("[]", job.GetProperty("result_files").GetRawText());
        foreach (string name in new[] { "error", "fine_tuned_model", "finished_at", "trained_tokens", "estimated_finish" })
        {
            Assert.Equal(JsonValueKind.Null, job.GetProperty(name).ValueKind);
        }
        JsonElement hyperparameters = job.GetProperty("hyperparameters");
        Assert.Equal("3", hyperparameters.GetProperty("n_epochs").GetRawText());
        Assert.Equal("auto", hyperparameters.Text("batch_size"));
        Assert.Equal("auto", hyperparameters.Text("learning_rate_multiplier"));
        JsonElement method = job.GetProperty("method");
        Assert.Equal("supervised", method.Text("type"));
        Assert.True(JsonElement.DeepEquals(hyperparameters, method.GetProperty("supervised").GetProperty("hyperparameters")));
        Assert.True(JsonElement.DeepEquals(job, await server.GetJsonAsync($"/v1/fine_tuning/jobs/{job.Text("id")}")));
    }

    [Fact]
    public async Task Top_level_hyperparameters_of_old_clients_count_unless_method_is_given()
    {
        await using TestServer server = await TestServer.StartAsync();
        string file = await server.UploadTrainingFileAsync();
        JsonObject body = new()
        {
            ["model"] = TestServer.BaseModel,
            ["training_file"] = file,
            ["hyperparameters"] = new JsonObject { ["n_epochs"] = 2, ["batch_size"] = "auto", ["learning_rate_multiplier"] = 0.5 },
            ["suffix"] = null,
            ["validation_file"] = null,
            ["integrations"] = null,
        };
        JsonElement job = await server.PostJsonAsync("/v1/fine_tuning/jobs", body);
        Assert.Equal(2, job.GetProperty("hyperparameters").GetProperty("n_epochs").GetInt32());
        Assert.Equal(0.5, job.GetProperty("hyperparameters").GetProperty("learning_rate_multiplier").GetDouble());
        Assert.InRange(job.GetProperty("seed").GetInt64(), 0, int.MaxValue);
        body["method"] = new JsonObject { ["type"] = "supervised" };
        job = await server.PostJsonAsync("/v1/fine_tuning/jobs", body);
        Assert.Equal("auto", job.GetProperty("hyperparameters").Text("n_epochs"));
    }

    [Theory]
    [InlineData("""{"training_file":"F"}""", "model", "missing_required_parameter", "Missing required parameter: 'model'.")]
    [InlineData("""{"model":"M"}""", "training_file", "missing_required_parameter", "Missing required parameter: 'training_file'.")]
    [InlineData("""{"model":5,"training_file":"F"}""", "model", "invalid_type", "expected a string, but got an integer")]
    [InlineData("""{"model":"M","training_file":["F"]}""", "training_file", "invalid_type", "but got an array")]
    [InlineData("""{"model":"M","training_file":"F","suffix":""}""", "suffix", "empty_string", "minimum length 1")]
    [InlineData("""{"model":"M","training_file":"F","seed":-1}""", "seed", "integer_below_min_value", ">= 0, but got -1")]
    [InlineData("""{"model":"M","training_file":"F","seed":2147483648}""", "seed", "integer_above_max_value", "<= 2147483647")]
    [InlineData("""{"model":"M","training_file":"F","seed":1.5}""", "seed", "invalid_type", "a decimal number")]
    [InlineData("""{"model":"M","training_file":"F","batch_size":4}""", "batch_size", "unknown_parameter", "Unknown parameter: 'batch_size'.")]
    [InlineData("""{"model":"M","training_file":"F","hyperparameters":{"n_epochs":0}}""", "hyperparameters.n_epochs", "integer_below_min_value", ">= 1")]
    [InlineData("""{"model":"M","training_file":"F","hyperparameters":{"n_epochs":51}}""", "hyperparameters.n_epochs", "integer_above_max_value", "<= 50")]
    [InlineData("""{"model":"M","training_file":"F","hyperparameters":{"n_epochs":"many"}}""", "hyperparameters.n_epochs", "invalid_type", "'auto' or an integer")]
    [InlineData("""{"model":"M","training_file":"F","hyperparameters":{"batch_size":257}}""", "hyperparameters.batch_size", "integer_above_max_value", "<= 256")]
    [InlineData("""{"model":"M","training_file":"F","hyperparameters":{"learning_rate_multiplier":0}}""", "hyperparameters.learning_rate_multiplier", "decimal_below_min_value", "> 0")]
    [InlineData("""{"model":"M","training_file":"F","hyperparameters":{"beta":0.1}}""", "hyperparameters.beta", "unknown_parameter", "beta")]
    [InlineData("""{"model":"M","training_file":"F","method":{}}""", "method.type", "missing_required_parameter", "method.type")]
    [InlineData("""{"model":"M","training_file":"F","method":{"type":"magic"}}""", "method.type", "invalid_value", "'magic'")]
    [InlineData("""{"model":"M","training_file":"F","method":{"type":"dpo"}}""", "method.type", "unsupported_value", "'dpo' is not available")]
    [InlineData("""{"model":"M","training_file":"F","method":{"type":"supervised","dpo":{}}}""", "method.dpo", "unsupported_parameter", "another method")]
    [InlineData("""{"model":"M","training_file":"F","method":{"type":"supervised","supervised":{"hyperparameters":{"batch_size":true}}}}""", "method.supervised.hyperparameters.batch_size", "invalid_type", "a boolean")]
    [InlineData("""{"model":"M","training_file":"F","metadata":{"a":1}}""", "metadata.a", "invalid_type", "an integer")]
    [InlineData("""{"model":"M","training_file":"F","integrations":[{"type":"wandb","wandb":{"project":"p"}}]}""", "integrations[0].type", "unsupported_value", "no Weights & Biases key")]
    [InlineData("""{"model":"M","training_file":"F","integrations":{}}""", "integrations", "invalid_type", "an array")]
    [InlineData("""{"model":"gpt-9","training_file":"F"}""", "model", "model_not_available", "Model gpt-9 is not available for fine-tuning or does not exist.")]
    [InlineData("""{"model":"M","training_file":"file-none"}""", "training_file", "invalid_training_file", "No such File object: file-none")]
    [InlineData("""{"model":"M","training_file":"F","validation_file":"NOTE"}""", "validation_file", "invalid_validation_file", "must have the purpose 'fine-tune'")]
    public async Task A_wrong_creation_is_400_and_named(string body, string param, string code, string message)
    {
        await using TestServer server = await TestServer.StartAsync();
        string file = await server.UploadTrainingFileAsync();
        string note = (await server.UploadAsync("hello"u8.ToArray(), "user_data", "note.txt")).Text("id");
        body = body.Replace("\"F\"", $"\"{file}\"", StringComparison.Ordinal)
            .Replace("\"M\"", $"\"{TestServer.BaseModel}\"", StringComparison.Ordinal)
            .Replace("NOTE", note, StringComparison.Ordinal);
        JsonElement answer = await server.PostTextAsync("/v1/fine_tuning/jobs", body, HttpStatusCode.BadRequest);
        Assert.Equal(("invalid_request_error", param, code), (answer.Error().Type, answer.Error().Param, answer.Error().Code));
        Assert.Contains(message, answer.Error().Message, StringComparison.Ordinal);
        Assert.Empty((await server.GetJsonAsync("/v1/fine_tuning/jobs")).Ids());
    }

    [Fact]
    public async Task A_creation_hears_of_all_its_faults_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.PostTextAsync(
            "/v1/fine_tuning/jobs",
            $$$"""
            {"suffix":"{{{new string('s', 65)}}}","seed":"x","model":"none","extra":1,
             "metadata":{"{{{new string('k', 65)}}}":"{{{new string('v', 513)}}}"},"hyperparameters":{"n_epochs":99}}
            """,
            HttpStatusCode.BadRequest);
        foreach (string part in new[]
        {
            "Missing required parameter: 'training_file'.", "maximum length 64", "Invalid type for 'seed'", "Model none", "'extra'",
            "names with maximum length 64", "maximum length 512", "<= 50",
        })
        {
            Assert.Contains(part, answer.Error().Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Metadata_has_room_for_sixteen_pairs()
    {
        await using TestServer server = await TestServer.StartAsync();
        string file = await server.UploadTrainingFileAsync();
        JsonObject metadata = [];
        for (int i = 0; i < 16; i++)
        {
            metadata[new string((char)('a' + i), 64)] = new string('v', 512);
        }
        JsonObject body = new() { ["model"] = TestServer.BaseModel, ["training_file"] = file, ["metadata"] = metadata };
        await server.PostJsonAsync("/v1/fine_tuning/jobs", body);
        metadata["one more"] = "v";
        JsonElement answer = await server.PostJsonAsync("/v1/fine_tuning/jobs", body, HttpStatusCode.BadRequest);
        Assert.Equal(("metadata", "object_above_max_properties"), (answer.Error().Param, answer.Error().Code));
    }

    [Fact]
    public async Task Lists_are_newest_first_and_paged_to_the_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        List<string> made = [];
        for (int i = 0; i < 5; i++)
        {
            made.Insert(0, await server.CreateJobAsync());
        }
        JsonElement first = await server.GetJsonAsync("/v1/fine_tuning/jobs?limit=3");
        Assert.Equal(made[..3], first.Ids());
        Assert.True(first.GetProperty("has_more").GetBoolean());
        JsonElement second = await server.GetJsonAsync($"/v1/fine_tuning/jobs?limit=3&after={made[2]}");
        Assert.Equal(made[3..], second.Ids());
        Assert.False(second.GetProperty("has_more").GetBoolean());
        JsonElement past = await server.GetJsonAsync($"/v1/fine_tuning/jobs?after={made[4]}");
        Assert.Empty(past.Ids());
        Assert.False(past.GetProperty("has_more").GetBoolean());
        JsonElement unknown = await server.GetJsonAsync("/v1/fine_tuning/jobs?after=ftjob-none", HttpStatusCode.BadRequest);
        Assert.Equal("after", unknown.Error().Param);
    }

    [Fact]
    public async Task The_metadata_filter_is_exact_and_combines()
    {
        await using TestServer server = await TestServer.StartAsync();
        string plain = await server.CreateJobAsync();
        string red = await server.CreateJobAsync(new JsonObject { ["team"] = "red", ["stage"] = "1" });
        string redder = await server.CreateJobAsync(new JsonObject { ["team"] = "red", ["stage"] = "2" });
        Assert.Equal([redder, red], (await server.GetJsonAsync("/v1/fine_tuning/jobs?metadata[team]=red")).Ids());
        Assert.Equal([red], (await server.GetJsonAsync("/v1/fine_tuning/jobs?metadata%5Bteam%5D=red&metadata%5Bstage%5D=1")).Ids());
        Assert.Equal([plain], (await server.GetJsonAsync("/v1/fine_tuning/jobs?metadata=null")).Ids());
        Assert.Empty((await server.GetJsonAsync("/v1/fine_tuning/jobs?metadata[team]=RED")).Ids());
        JsonElement literal = await server.GetJsonAsync("/v1/fine_tuning/jobs?metadata=%7Bteam%3A%20red%7D", HttpStatusCode.BadRequest);
        Assert.Equal("metadata", literal.Error().Param);
    }

    [Fact]
    public async Task Cancel_ends_a_job_and_a_second_cancel_is_400()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        using HttpResponseMessage response = await server.Http.PostAsync($"/v1/fine_tuning/jobs/{id}/cancel", null);
        JsonElement job = await response.ReadAsync(HttpStatusCode.OK);
        Assert.Equal("cancelled", job.Text("status"));
        Assert.Equal(JsonValueKind.Number, job.GetProperty("finished_at").ValueKind);
        foreach (string verb in new[] { "cancel", "pause", "resume" })
        {
            JsonElement answer = await server.PostTextAsync($"/v1/fine_tuning/jobs/{id}/{verb}", "", HttpStatusCode.BadRequest);
            Assert.Contains("'cancelled'", answer.Error().Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "/cancel")]
    [InlineData("POST", "/pause")]
    [InlineData("POST", "/resume")]
    [InlineData("GET", "/events")]
    [InlineData("GET", "/events?stream=true")]
    [InlineData("GET", "/checkpoints")]
    public async Task An_unknown_job_is_404_everywhere(string method, string path)
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage response = await server.Http.SendAsync(
            new HttpRequestMessage(new HttpMethod(method), $"/v1/fine_tuning/jobs/ftjob-none{path}"));
        JsonElement answer = await response.ReadAsync(HttpStatusCode.NotFound);
        Assert.Equal(
            ("Could not find fine tune: ftjob-none", "invalid_request_error", "fine_tune_id", "fine_tune_not_found"), answer.Error());
    }

    [Fact]
    public async Task A_repeated_creation_with_the_same_idempotency_key_is_one_job()
    {
        await using TestServer server = await TestServer.StartAsync();
        string file = await server.UploadTrainingFileAsync();
        string body = $$"""{"model":"{{TestServer.BaseModel}}","training_file":"{{file}}"}""";
        async Task<HttpResponseMessage> Post(string text)
        {
            HttpRequestMessage request = new(HttpMethod.Post, "/v1/fine_tuning/jobs")
            {
                Content = new StringContent(text, System.Text.Encoding.UTF8, "application/json"),
            };
            request.Headers.Add("Idempotency-Key", "stainless-node-retry-1");
            return await server.Http.SendAsync(request);
        }
        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Post(body)));
        HashSet<string> ids = [];
        foreach (HttpResponseMessage answer in answers)
        {
            ids.Add((await answer.ReadAsync(HttpStatusCode.OK)).Text("id"));
            answer.Dispose();
        }
        Assert.Single(ids);
        Assert.Single((await server.GetJsonAsync("/v1/fine_tuning/jobs")).Ids());
        using HttpResponseMessage other = await Post(body.Replace("{", "{\"seed\":1,", StringComparison.Ordinal));
        JsonElement conflict = await other.ReadAsync(HttpStatusCode.Conflict);
        Assert.Equal("idempotency_key_reused", conflict.Error().Code);
        Assert.Equal("false", other.Headers.GetValues("x-should-retry").Single());
    }

    [Fact]
    public async Task Files_of_a_living_job_cannot_be_deleted()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        string file = (await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}")).Text("training_file");
        JsonElement answer = await server.DeleteJsonAsync($"/v1/files/{file}", HttpStatusCode.BadRequest);
        Assert.Equal("file_in_use", answer.Error().Code);
        await server.Store.CancelAsync(id, default);
        await server.DeleteJsonAsync($"/v1/files/{file}");
    }

    [Fact]
    public async Task A_finished_job_shows_its_results_in_every_list()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync(suffix: "tickets");
        Job played = await server.PlayToSuccessAsync(id);
        JsonElement job = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}");
        Assert.Equal("succeeded", job.Text("status"));
        string name = job.Text("fine_tuned_model");
        Assert.Matches($"^ft:{TestServer.BaseModel}:personal:tickets:[A-Za-z0-9]{{8}}$", name);
        Assert.Equal(played.FineTunedModel, name);
        Assert.Equal(1234, job.GetProperty("trained_tokens").GetInt64());
        Assert.Equal(3, job.GetProperty("hyperparameters").GetProperty("n_epochs").GetInt32());

        JsonElement checkpoints = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/checkpoints");
        Assert.Equal([20, 10], checkpoints.GetProperty("data").EnumerateArray().Select(c => c.GetProperty("step_number").GetInt32()));
        JsonElement last = checkpoints.GetProperty("data")[0];
        Assert.Equal(name, last.Text("fine_tuned_model_checkpoint"));
        Assert.EndsWith(":ckpt-step-10", checkpoints.GetProperty("data")[1].Text("fine_tuned_model_checkpoint"), StringComparison.Ordinal);
        Assert.Equal((last.Text("id"), checkpoints.Ids()[1]), (checkpoints.Text("first_id"), checkpoints.Text("last_id")));
        JsonElement page = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/checkpoints?limit=1&after={checkpoints.Ids()[0]}");
        Assert.Equal([checkpoints.Ids()[1]], page.Ids());
        Assert.Empty((await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/checkpoints?after={checkpoints.Ids()[1]}")).Ids());

        string result = job.GetProperty("result_files")[0].GetString()!;
        JsonElement file = await server.GetJsonAsync($"/v1/files/{result}");
        Assert.Equal(("fine-tune-results", "step_metrics.csv"), (file.Text("purpose"), file.Text("filename")));
        Assert.StartsWith("step,", await server.Http.GetStringAsync($"/v1/files/{result}/content"), StringComparison.Ordinal);

        string[] models = (await server.GetJsonAsync("/v1/models")).Ids();
        Assert.Contains(name, models);
        Assert.Contains(TestServer.BaseModel, models);
        foreach (string path in new[] { name, Uri.EscapeDataString(name) })
        {
            Assert.Equal(name, (await server.GetJsonAsync($"/v1/models/{path}")).Text("id"));
        }
    }

    [Fact]
    public async Task Events_are_newest_first_stable_and_complete_in_pages_of_any_size()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        await server.PlayToSuccessAsync(id);
        JsonElement all = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/events?limit=300");
        string[] messages = [.. all.GetProperty("data").EnumerateArray().Select(e => e.Text("message")).Reverse()];
        Assert.Equal($"Created fine-tuning job: {id}", messages[0]);
        Assert.StartsWith("Validating training file: file-", messages[1], StringComparison.Ordinal);
        Assert.Equal("Files validated, moving job to queued state", messages[2]);
        Assert.Equal("Fine-tuning job started", messages[3]);
        Assert.Equal("The job has successfully completed", messages[^1]);
        List<string> paged = [];
        string after = "";
        while (true)
        {
            JsonElement page = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/events?limit=4{after}");
            paged.AddRange(page.Ids());
            if (page.Ids().Length == 0)
            {
                break;
            }
            after = $"&after={page.Ids()[^1]}";
        }
        Assert.Equal(all.Ids(), paged);
        foreach (JsonElement item in all.GetProperty("data").EnumerateArray())
        {
            Assert.Equal(item.Text("type") == "metrics" ? JsonValueKind.Object : JsonValueKind.Null, item.GetProperty("data").ValueKind);
        }
    }

    [Fact]
    public async Task The_event_stream_sends_the_past_then_the_present_and_closes()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        Task<string> stream = server.Http.GetStringAsync($"/v1/fine_tuning/jobs/{id}/events?stream=true");
        await server.PlayToSuccessAsync(id);
        string text = await stream;
        JsonElement all = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/events?limit=300");
        string[] streamed = [.. text.Split("\n\n").Where(e => e.StartsWith("data: {", StringComparison.Ordinal))
            .Select(e => JsonNode.Parse(e["data: ".Length..])!["id"]!.GetValue<string>())];
        Assert.Equal(all.Ids().Reverse(), streamed);
    }

    [Fact]
    public async Task An_open_event_stream_does_not_hold_up_the_end_of_the_server()
    {
        string folder = Directory.CreateTempSubdirectory("anneal-end-").FullName;
        Stopwatch watch = new();
        await using (TestServer server = await TestServer.StartAsync(folder))
        {
            string id = await server.CreateJobAsync();
            HttpResponseMessage stream = await server.Raw.GetAsync(
                $"/v1/fine_tuning/jobs/{id}/events?stream=true", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
            watch.Start();
            await server.App.StopAsync();
            watch.Stop();
        }
        Directory.Delete(folder, recursive: true);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public async Task An_estimate_is_shown_only_while_it_lies_ahead()
    {
        ShiftedTime time = new();
        await using TestServer server = await TestServer.StartAsync(change: options => options with { Time = time });
        string id = await server.CreateJobAsync();
        await server.AcceptAsync(id);
        ClaimedRun run = (await server.Store.ClaimAsync(Ids.HashSecret("token"), TimeSpan.FromMinutes(5), default))!;
        DateTimeOffset estimate = time.GetUtcNow().AddSeconds(60);
        await server.Store.HeartbeatAsync(run.Run.Lease, TimeSpan.FromMinutes(5), new RunProgress(1, estimate), default);
        JsonElement job = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}");
        Assert.Equal(estimate.ToUnixTimeSeconds(), job.GetProperty("estimated_finish").GetInt64());
        time.Advance(TimeSpan.FromSeconds(58));
        job = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}");
        Assert.Equal(JsonValueKind.Null, job.GetProperty("estimated_finish").ValueKind);
    }

    [Fact]
    public async Task A_failed_job_says_why_in_its_error()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        await server.Store.RejectFilesAsync(id, new JobError("invalid_training_file", "Line 3 is bad.", "training_file"), default);
        JsonElement job = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}");
        Assert.Equal("failed", job.Text("status"));
        Assert.Equal(("invalid_training_file", "Line 3 is bad.", "training_file"),
            (job.GetProperty("error").Text("code"), job.GetProperty("error").Text("message"), job.GetProperty("error").Text("param")));
        JsonElement events = await server.GetJsonAsync($"/v1/fine_tuning/jobs/{id}/events?limit=1");
        Assert.Equal("error", events.GetProperty("data")[0].Text("level"));
    }

    [Fact]
    public async Task A_job_can_be_paused_and_resumed()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.CreateJobAsync();
        await server.AcceptAsync(id);
        // The document's examples show this status and its enum forgets it, so these answers go round the wire check.
        using HttpResponseMessage paused = await server.Raw.PostAsync($"/v1/fine_tuning/jobs/{id}/pause", null);
        Assert.Equal("paused", (await paused.ReadAsync(HttpStatusCode.OK)).Text("status"));
        using HttpResponseMessage resumed = await server.Http.PostAsync($"/v1/fine_tuning/jobs/{id}/resume", null);
        Assert.Equal("queued", (await resumed.ReadAsync(HttpStatusCode.OK)).Text("status"));
    }
}
