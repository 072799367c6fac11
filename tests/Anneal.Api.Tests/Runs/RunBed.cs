using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Anneal.Jobs.Sqlite;

namespace Anneal.Api.Tests.Runs;

/// <summary>A data folder, a server on it, and what tests of running jobs do with them: over HTTP, as a user does.</summary>
internal sealed class RunBed : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private TestServer? _server;
    private Process? _process;
    private HttpClient? _http;

    public string DataFolder { get; } = Directory.CreateTempSubdirectory("anneal-runs-").FullName;

    /// <summary>A server in this process, whose workers are real processes.</summary>
    public static async Task<RunBed> StartAsync()
    {
        RunBed bed = new();
        bed._server = await TestServer.StartAsync(
            bed.DataFolder, options => DoomedServer.Options(options.DataFolder, 0) with { Time = options.Time });
        // Unchecked, because the document of the wire does not know the status `paused`.
        bed._http = bed._server.Raw;
        return bed;
    }

    /// <summary>A server process of its own; started again with <see cref="StartAgainAsync"/> after a kill.</summary>
    public static async Task<RunBed> StartProcessAsync(int port)
    {
        RunBed bed = new();
        await bed.StartAgainAsync(port);
        return bed;
    }

    public async Task StartAgainAsync(int port)
    {
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                typeof(RunBed).Assembly.Location, "serve", DataFolder, port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
        };
        _process = Process.Start(start)!;
        string url = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server did not start.");
        _http?.Dispose();
        _http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(url) };
        string key = (await File.ReadAllTextAsync(Path.Combine(DataFolder, "api-key"))).Trim();
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>SIGKILL to the server; its workers live on.</summary>
    public async Task KillServerAsync()
    {
        _process!.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>SIGTERM to the server, and its whole way down.</summary>
    public async Task TerminateServerAsync()
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"]);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(40));
        _process.Dispose();
        _process = null;
    }

    /// <summary>Lines of training data, the same for the same arguments.</summary>
    public static string Examples(int count, int seed, int words = 6)
    {
        Random random = new(seed);
        string[] vocabulary = ["red", "green", "blue", "stone", "river", "light", "seven", "slow", "open", "door"];
        string Words() => string.Join(' ', Enumerable.Range(0, words).Select(_ => vocabulary[random.Next(vocabulary.Length)]));
        StringBuilder lines = new();
        for (int i = 0; i < count; i++)
        {
            JsonArray messages = [];
            foreach (string role in (string[])["user", "assistant"])
            {
                messages.Add((JsonNode)new JsonObject { ["role"] = role, ["content"] = Words() });
            }
            lines.Append(new JsonObject { ["messages"] = messages }.ToJsonString()).Append('\n');
        }
        return lines.ToString();
    }

    public async Task<string> UploadAsync(string lines)
    {
        using MultipartFormDataContent form = new();
        using StringContent purpose = new("fine-tune");
        using ByteArrayContent file = new(Encoding.UTF8.GetBytes(lines));
        form.Add(purpose, "purpose");
        form.Add(file, "file", "train.jsonl");
        return (string)(await SendAsync(HttpMethod.Post, "/v1/files", form))["id"]!;
    }

    public async Task<string> CreateJobAsync(
        string trainingFile, int epochs, int batchSize, string? validationFile = null, string model = TestServer.BaseModel)
    {
        JsonObject body = new()
        {
            ["model"] = model,
            ["training_file"] = trainingFile,
            ["validation_file"] = validationFile,
            ["seed"] = 11,
            ["suffix"] = "kill",
            ["method"] = new JsonObject
            {
                ["type"] = "supervised",
                ["supervised"] = new JsonObject
                {
                    ["hyperparameters"] = new JsonObject { ["n_epochs"] = epochs, ["batch_size"] = batchSize },
                },
            },
        };
        using StringContent content = new(body.ToJsonString(), Encoding.UTF8, "application/json");
        return (string)(await SendAsync(HttpMethod.Post, "/v1/fine_tuning/jobs", content))["id"]!;
    }

    /// <summary>A job that leaves every hyperparameter open.</summary>
    public async Task<JsonNode> CreateAutoJobAsync(string trainingFile)
    {
        JsonObject body = new() { ["model"] = TestServer.BaseModel, ["training_file"] = trainingFile };
        using StringContent content = new(body.ToJsonString(), Encoding.UTF8, "application/json");
        return await SendAsync(HttpMethod.Post, "/v1/fine_tuning/jobs", content);
    }

    public Task<JsonNode> JobAsync(string id) => SendAsync(HttpMethod.Get, $"/v1/fine_tuning/jobs/{id}");

    public Task<JsonNode> PostAsync(string path) => SendAsync(HttpMethod.Post, path);

    /// <summary>The job once its status is one of these.</summary>
    public async Task<JsonNode> WaitForAsync(string id, params string[] statuses)
    {
        JsonNode job = null!;
        await UntilAsync(
            async () =>
            {
                job = await JobAsync(id);
                return Array.IndexOf(statuses, (string?)job["status"]) >= 0;
            },
            () => $"{job.ToJsonString()}\n{LastEvents(id)}\n{WorkerLogs()}");
        return job;
    }

    /// <summary>All events, oldest first.</summary>
    public async Task<List<JsonNode>> EventsAsync(string id)
    {
        JsonNode page = await SendAsync(HttpMethod.Get, $"/v1/fine_tuning/jobs/{id}/events?limit=10000");
        Assert.False((bool)page["has_more"]!);
        return [.. page["data"]!.AsArray().Reverse().Select(e => e!)];
    }

    /// <summary>The highest step among the newest events; 0 when there is none.</summary>
    public async Task<int> StepAsync(string id)
    {
        JsonNode page = await SendAsync(HttpMethod.Get, $"/v1/fine_tuning/jobs/{id}/events?limit=20");
        return page["data"]!.AsArray().Max(e => (int?)e!["data"]?["step"]) ?? 0;
    }

    /// <summary>Completes when the job has done more than <paramref name="step"/> steps.</summary>
    public Task BeyondAsync(string id, int step) => UntilAsync(
        async () => await StepAsync(id) > step || IsOver((await JobAsync(id))["status"]!.GetValue<string>()),
        () => $"{LastEvents(id)}\n{WorkerLogs()}");

    public async Task<string> ContentAsync(string fileId) => await _http!.GetStringAsync($"/v1/files/{fileId}/content");

    public Task<JsonNode> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    /// <summary>The bytes of a tuned model, by file name, read where the server keeps them.</summary>
    public async Task<SortedDictionary<string, byte[]>> WeightsAsync(string modelName)
    {
        await using SqliteStore store = SqliteStore.Open(Path.Combine(DataFolder, "anneal.db"), TimeProvider.System);
        LocalBlobs blobs = new(DataFolder);
        TunedModel model = (await store.GetModelAsync(modelName, default))!;
        SortedDictionary<string, byte[]> files = new(StringComparer.Ordinal);
        foreach (NamedBlob file in model.Files)
        {
            Assert.True(await blobs.VerifyAsync(file.BlobKey, file.Bytes, file.Sha256, default));
            files.Add(file.Name, await File.ReadAllBytesAsync(blobs.LocalPath(file.BlobKey)!));
        }
        return files;
    }

    /// <summary>Processes that work on runs of this bed's jobs.</summary>
    public async Task<List<Process>> WorkersAsync()
    {
        await using SqliteStore store = SqliteStore.Open(Path.Combine(DataFolder, "anneal.db"), TimeProvider.System);
        HashSet<string> runs = [.. (await store.ListActiveRunsAsync(default)).Select(r => r.Id)];
        return Processes(runs.Contains);
    }

    /// <summary>The one worker, once it is there.</summary>
    public async Task<Process> WorkerAsync()
    {
        List<Process> workers = [];
        await UntilAsync(async () => (workers = await WorkersAsync()).Count > 0, WorkerLogs);
        return Assert.Single(workers);
    }

    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> explain)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException($"Waited in vain. {explain()}");
            }
            await Task.Delay(10);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        string scratch = Path.Combine(DataFolder, "logs");
        foreach (string log in Directory.Exists(scratch) ? Directory.GetFiles(scratch, "run-*.log") : [])
        {
            string run = Path.GetFileNameWithoutExtension(log);
            Processes(r => r == run).ForEach(p => p.Kill());
        }
        Directory.Delete(DataFolder, recursive: true);
    }

    private static bool IsOver(string status) => status is "succeeded" or "failed" or "cancelled";

    private static List<Process> Processes(Func<string, bool> isRun)
    {
        List<Process> found = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out int id))
            {
                continue;
            }
            try
            {
                string[] arguments = File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0');
                int run = Array.IndexOf(arguments, "--run") + 1;
                if (run > 0 && run < arguments.Length && isRun(arguments[run]))
                {
                    found.Add(Process.GetProcessById(id));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // It has just gone.
            }
        }
        return found;
    }

    private string LastEvents(string id) => string.Join(
        '\n', EventsAsync(id).GetAwaiter().GetResult().TakeLast(12).Select(e => e.ToJsonString()));

    private string WorkerLogs()
    {
        string folder = Path.Combine(DataFolder, "logs");
        return Directory.Exists(folder)
            ? string.Join('\n', Directory.GetFiles(folder).Select(ReadShared))
            : "No worker was started.";
    }

    private static string ReadShared(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, HttpContent? content = null)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        using HttpResponseMessage response = await _http!.SendAsync(request);
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {body}");
        return JsonNode.Parse(body)!;
    }
}
