using System.Text.Json;
using Anneal.Jobs;
using Anneal.Server.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Api.Tests.Runs;

/// <summary>The worker's side against a server that is slow, away or moody.</summary>
public sealed class RunClientTests
{
    [Fact]
    public async Task A_call_is_repeated_until_the_server_is_back()
    {
        await using Moody server = await Moody.StartAsync(failures: 4, status: 503);
        using RunClient client = new(server.Url, "run-1", "secret", TimeProvider.System);
        Assert.Equal(RunDirective.Pause, await client.HeartbeatAsync(new HeartbeatReport(3, 1.5), default));
        Assert.Equal(5, server.Calls.Count);
        Assert.All(server.Calls, c => Assert.Equal("""POST /internal/v1/runs/run-1/heartbeat {"step":3,"seconds_left":1.5}""", c));
    }

    [Fact]
    public async Task A_call_gives_up_when_its_patience_ends()
    {
        using RunClient client = new(new Uri("http://127.0.0.1:1"), "run-1", "secret", TimeProvider.System)
        {
            Patience = TimeSpan.FromMilliseconds(300),
        };
        ServerLostException lost = await Assert.ThrowsAsync<ServerLostException>(
            () => client.HeartbeatAsync(new HeartbeatReport(3, null), default));
        Assert.Contains("http://127.0.0.1:1", lost.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_refused_run_is_not_tried_again(int status)
    {
        await using Moody server = await Moody.StartAsync(failures: 100, status);
        using RunClient client = new(server.Url, "run-1", "secret", TimeProvider.System);
        await Assert.ThrowsAsync<RunLostException>(() => client.AppendAsync([], default));
        Assert.Single(server.Calls);
        await client.ReleaseAsync(default);
    }

    [Fact]
    public async Task A_reporter_sends_everything_in_order_whatever_the_servers_mood()
    {
        await using Moody server = await Moody.StartAsync(failures: 3, status: 500);
        using RunClient client = new(server.Url, "run-1", "secret", TimeProvider.System);
        string folder = Directory.CreateTempSubdirectory("anneal-reporter-").FullName;
        string checkpoint = Path.Combine(folder, "checkpoint");
        Directory.CreateDirectory(checkpoint);
        await File.WriteAllTextAsync(Path.Combine(checkpoint, "weights.bin"), "w");
        string state = Path.Combine(folder, "state");
        await File.WriteAllTextAsync(state, "s");

        await using (RunReporter reporter = new(client, TimeSpan.FromHours(1), TimeProvider.System))
        {
            for (int i = 1; i <= 1500; i++)
            {
                reporter.Event(EventLevel.Info, $"event {i}", i, JsonDocument.Parse("{}").RootElement);
            }
            reporter.Checkpoint(checkpoint, 1500, final: false, JsonDocument.Parse("""{"step":1500}""").RootElement);
            reporter.State(1500, state);
            reporter.Event(EventLevel.Warn, "last");
            await reporter.DrainAsync();
            Assert.Equal(RunDirective.Pause, reporter.Directive);
            Assert.False(reporter.Ended.IsCancellationRequested);
        }

        List<string> work = [.. server.Accepted.Where(c => !c.Contains("/heartbeat", StringComparison.Ordinal))];
        List<long> sequences = [];
        foreach (string call in work.Where(c => c.Contains("/events", StringComparison.Ordinal)))
        {
            using JsonDocument body = JsonDocument.Parse(call[call.IndexOf('{', StringComparison.Ordinal)..]);
            sequences.AddRange(body.RootElement.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("sequence").GetInt64()));
        }
        Assert.Equal(Enumerable.Range(1, 1501).Select(i => (long)i), sequences);
        List<string> uploads = [.. work.Where(c => !c.Contains("/events", StringComparison.Ordinal))];
        Assert.Equal(3, uploads.Count);
        Assert.Matches("^PUT /internal/v1/runs/run-1/checkpoints/ftckpt_[A-Za-z0-9]{24}/weights.bin w$", uploads[0]);
        Assert.StartsWith("POST /internal/v1/runs/run-1/checkpoints {", uploads[1], StringComparison.Ordinal);
        Assert.Equal("PUT /internal/v1/runs/run-1/state/1500 s", uploads[2]);
        Assert.Contains("/events", work[^1], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
        Directory.Delete(folder);
    }

    [Fact]
    public async Task A_stop_ends_the_run_at_once()
    {
        await using Moody server = await Moody.StartAsync(failures: 0, status: 200, directive: "stop");
        using RunClient client = new(server.Url, "run-1", "secret", TimeProvider.System);
        await using RunReporter reporter = new(client, TimeSpan.FromHours(1), TimeProvider.System);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Task.Delay(TimeSpan.FromSeconds(30), reporter.Ended));
        Assert.Equal(RunDirective.Stop, reporter.Directive);
        Assert.Null(reporter.Failure);
    }

    /// <summary>Fails the first calls, then answers every one.</summary>
    private sealed class Moody : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private int _failures;

        private Moody(WebApplication app, int failures)
        {
            _app = app;
            _failures = failures;
        }

        public Uri Url => new(_app.Urls.First());

        public List<string> Calls { get; } = [];

        public List<string> Accepted { get; } = [];

        public static async Task<Moody> StartAsync(int failures, int status, string directive = "pause")
        {
            WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            builder.Services.AddRoutingCore();
            WebApplication app = builder.Build();
            Moody moody = new(app, failures);
            app.Run(context => moody.AnswerAsync(context, status, directive));
            await app.StartAsync();
            return moody;
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private async Task AnswerAsync(HttpContext context, int status, string directive)
        {
            using StreamReader reader = new(context.Request.Body);
            string call = $"{context.Request.Method} {context.Request.Path} {await reader.ReadToEndAsync()}";
            bool fails;
            lock (Calls)
            {
                Calls.Add(call);
                fails = _failures-- > 0;
                if (!fails)
                {
                    Accepted.Add(call);
                }
            }
            context.Response.StatusCode = fails ? status : 200;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(call.StartsWith("PUT", StringComparison.Ordinal) && !call.Contains("/state/", StringComparison.Ordinal)
                ? """{"bytes":1,"sha256":"x"}"""
                : $$"""{"directive":"{{directive}}"}""");
        }
    }
}
