using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Api.Tests.Runs;

/// <summary>What a worker may and may not do, one request at a time.</summary>
public sealed class RunEndpointTests
{
    private static readonly (HttpMethod Method, string Path)[] Routes =
    [
        (HttpMethod.Get, ""),
        (HttpMethod.Get, "/files/file-x"),
        (HttpMethod.Get, "/model/adapter_config.json"),
        (HttpMethod.Get, "/state"),
        (HttpMethod.Put, "/state/3"),
        (HttpMethod.Put, "/checkpoints/ftckpt_aaaaaaaaaaaaaaaaaaaaaaaa/a.bin"),
        (HttpMethod.Post, "/checkpoints"),
        (HttpMethod.Post, "/heartbeat"),
        (HttpMethod.Post, "/events"),
        (HttpMethod.Post, "/finish"),
        (HttpMethod.Post, "/fail"),
        (HttpMethod.Post, "/release"),
    ];

    [Fact]
    public async Task Only_the_runs_own_token_opens_its_door()
    {
        await using TestServer server = await TestServer.StartAsync();
        (Run run, _) = await ClaimAsync(server);
        (_, string other) = await ClaimAsync(server);
        foreach (string? token in (string?[])[null, "runtoken-wrong", other, server.Key])
        {
            foreach ((HttpMethod method, string path) in Routes)
            {
                using HttpResponseMessage response = await SendAsync(server, run.Id, token, method, path, "{}");
                Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            }
        }
        Assert.Equal(2, (await server.Store.ListActiveRunsAsync(default)).Count);
    }

    [Fact]
    public async Task A_runs_token_opens_no_other_door()
    {
        await using TestServer server = await TestServer.StartAsync();
        (Run run, string token) = await ClaimAsync(server);
        using HttpClient client = server.Client(new SocketsHttpHandler(), token);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/v1/files")).StatusCode);
        using HttpResponseMessage foreign = await SendAsync(
            server, run.Id, token, HttpMethod.Get, $"/files/{(await AddFileAsync(server)).Id}");
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
    }

    [Fact]
    public async Task A_cancelled_run_is_told_to_stop_and_can_write_nothing()
    {
        await using TestServer server = await TestServer.StartAsync();
        (Run run, string token) = await ClaimAsync(server);
        Assert.Equal("continue", await DirectiveAsync(server, run, token, "/heartbeat", """{"step":1,"seconds_left":null}"""));
        await server.Store.CancelAsync(run.JobId, default);
        int events = (await server.Store.ListEventsSinceAsync(run.JobId, 0, 100, default)).Count;

        Assert.Equal("stop", await DirectiveAsync(server, run, token, "/heartbeat", """{"step":2,"seconds_left":1.5}"""));
        Assert.Equal("stop", await DirectiveAsync(
            server, run, token, "/events",
            """{"events":[{"sequence":1,"level":"info","message":"late","step":null,"data":null}]}"""));
        Assert.Equal("stop", await UploadStateAsync(server, run, token, "late"));
        Assert.Equal("stop", await DirectiveAsync(server, run, token, "/finish", """{"trained_tokens":5}"""));
        using HttpResponseMessage spec = await SendAsync(server, run.Id, token, HttpMethod.Get, "");
        Assert.Equal(HttpStatusCode.Forbidden, spec.StatusCode);

        Assert.Equal(events, (await server.Store.ListEventsSinceAsync(run.JobId, 0, 100, default)).Count);
        Assert.Equal(JobStatus.Cancelled, (await server.Store.GetJobAsync(run.JobId, default))!.Status);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "blobs", "states"), "*", SearchOption.AllDirectories));
        Assert.Single(Directory.EnumerateFiles(Path.Combine(server.DataFolder, "blobs", "files")));
    }

    [Fact]
    public async Task A_damaged_upload_is_refused_and_a_repeated_one_is_taken_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        (Run run, string token) = await ClaimAsync(server);
        using HttpResponseMessage damaged = await SendAsync(
            server, run.Id, token, HttpMethod.Put, "/state/1", "bytes", Ids.HashSecret("other bytes"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, damaged.StatusCode);
        Assert.Empty(await server.Store.ListRunStatesAsync(run.JobId, default));

        string id = Ids.Checkpoint();
        string file = $"/checkpoints/{id}/adapter_model.safetensors";
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage stored = await SendAsync(
                server, run.Id, token, HttpMethod.Put, file, "weights", Ids.HashSecret("weights"));
            Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        }
        string report = $$"""
            {"id":"{{id}}","step":4,"final":false,"metrics":{"step":4},
             "files":[{"name":"adapter_model.safetensors","bytes":7,"sha256":"{{Ids.HashSecret("weights")}}"}]}
            """;
        Assert.Equal("continue", await DirectiveAsync(server, run, token, "/checkpoints", report));
        Assert.Equal("continue", await DirectiveAsync(server, run, token, "/checkpoints", report));
        Assert.Single((await server.Store.ListCheckpointsAsync(run.JobId, null, 10, default))!.Items);
        using HttpResponseMessage missing = await SendAsync(
            server, run.Id, token, HttpMethod.Post, "/checkpoints", report.Replace("adapter_model", "other", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, missing.StatusCode);
    }

    [Fact]
    public async Task A_damaged_run_state_is_passed_over_for_the_one_before()
    {
        await using TestServer server = await TestServer.StartAsync();
        (Run run, string token) = await ClaimAsync(server);
        await UploadStateAsync(server, run, token, "first", step: 1);
        await UploadStateAsync(server, run, token, "second", step: 2);
        Assert.Equal("second", await ReadAsync(server, run, token, "/state"));
        RunStateRef newest = (await server.Store.ListRunStatesAsync(run.JobId, default))[0];
        IBlobStore blobs = server.App.Services.GetRequiredService<IBlobStore>();
        await File.WriteAllTextAsync(blobs.LocalPath(newest.BlobKey)!, "sec0nd");
        Assert.Equal("first", await ReadAsync(server, run, token, "/state"));
        JsonNode spec = JsonNode.Parse(await ReadAsync(server, run, token, ""))!;
        Assert.Equal("1", (string?)spec["state"]!["name"]);
        Assert.Equal(run.JobId, (string?)spec["job_id"]);
        Assert.Equal("one line\n", await ReadAsync(server, run, token, $"/files/{spec["training_file"]!["name"]}"));
    }

    [Theory]
    [InlineData("/checkpoints/ftckpt_short/a.bin")]
    [InlineData("/checkpoints/ftckpt_aaaaaaaaaaaaaaaaaaaaaaaa/.hidden")]
    [InlineData("/checkpoints/ftckpt_aaaaaaaaaaaaaaaaaaaaaaaa/a%20b")]
    public async Task A_checkpoint_file_of_an_odd_name_is_refused(string path)
    {
        await using TestServer server = await TestServer.StartAsync();
        (Run run, string token) = await ClaimAsync(server);
        using HttpResponseMessage response = await SendAsync(
            server, run.Id, token, HttpMethod.Put, path, "x", Ids.HashSecret("x"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("/heartbeat", "{}")]
    [InlineData("/heartbeat", "null")]
    [InlineData("/events", """{"events":[{"sequence":1}]}""")]
    [InlineData("/finish", "nonsense")]
    public async Task A_report_that_is_not_understood_is_refused(string path, string body)
    {
        await using TestServer server = await TestServer.StartAsync();
        (Run run, string token) = await ClaimAsync(server);
        using HttpResponseMessage response = await SendAsync(server, run.Id, token, HttpMethod.Post, path, body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private static async Task<StoredFile> AddFileAsync(TestServer server)
    {
        string id = Ids.File();
        IBlobStore blobs = server.App.Services.GetRequiredService<IBlobStore>();
        BlobInfo blob = await blobs.WriteAsync(
            $"files/{id}", new MemoryStream(Encoding.UTF8.GetBytes("one line\n")), 100, default);
        StoredFile file = new()
        {
            Id = id,
            FileName = "train.jsonl",
            Purpose = "fine-tune",
            Bytes = blob.Bytes,
            Sha256 = blob.Sha256,
            BlobKey = blob.Key,
            CreatedAt = TimeProvider.System.GetUtcNow(),
            Status = FileStatus.Processed,
        };
        await server.Store.AddFileAsync(file, default);
        return file;
    }

    private static async Task<(Run Run, string Token)> ClaimAsync(TestServer server)
    {
        NewJob request = new()
        {
            Model = TestServer.BaseModel,
            BaseModel = TestServer.BaseModel,
            TrainingFile = (await AddFileAsync(server)).Id,
            Seed = 1,
            HyperparametersJson = "{}",
        };
        Job job = (await server.Store.SubmitAsync(request, default)).Job!;
        await server.Store.AcceptFilesAsync(job.Id, "{}", default);
        string token = Ids.Secret("runtoken-");
        ClaimedRun claimed = (await server.Store.ClaimAsync(Ids.HashSecret(token), TimeSpan.FromMinutes(5), default))!;
        return (claimed.Run, token);
    }

    private static async Task<string> UploadStateAsync(
        TestServer server, Run run, string token, string content, int step = 1)
    {
        using HttpResponseMessage response = await SendAsync(
            server, run.Id, token, HttpMethod.Put, $"/state/{step}", content, Ids.HashSecret(content));
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["directive"]!;
    }

    private static async Task<string> DirectiveAsync(TestServer server, Run run, string token, string path, string body)
    {
        using HttpResponseMessage response = await SendAsync(server, run.Id, token, HttpMethod.Post, path, body);
        string answer = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, answer);
        return (string)JsonNode.Parse(answer)!["directive"]!;
    }

    private static async Task<string> ReadAsync(TestServer server, Run run, string token, string path)
    {
        using HttpResponseMessage response = await SendAsync(server, run.Id, token, HttpMethod.Get, path);
        return await response.Content.ReadAsStringAsync();
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestServer server, string runId, string? token, HttpMethod method, string path, string? body = null, string? sha256 = null)
    {
        using HttpClient client = server.Client(new SocketsHttpHandler(), sendKey: false);
        using HttpRequestMessage request = new(method, $"/internal/v1/runs/{runId}{path}");
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        if (body is not null && method != HttpMethod.Get)
        {
            request.Content = new StringContent(body);
            if (sha256 is not null)
            {
                request.Content.Headers.Add("X-Content-Sha256", sha256);
            }
        }
        return await client.SendAsync(request);
    }
}
