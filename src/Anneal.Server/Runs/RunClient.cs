using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Anneal.Jobs;

namespace Anneal.Server.Runs;

/// <summary>The server could not be reached for longer than the worker may go on alone.</summary>
internal sealed class ServerLostException(string message, Exception? inner) : Exception(message, inner);

/// <summary>The run does not hold its job any more; nothing it says is heard.</summary>
internal sealed class RunLostException(string message) : Exception(message);

/// <summary>The server refused for a reason that trying again would not change.</summary>
internal sealed class RunRefusedException(string message, string code, string? param) : Exception(message)
{
    /// <summary>Machine-readable.</summary>
    public string Code { get; } = code;

    /// <summary>The job's field at fault, or null.</summary>
    public string? Param { get; } = param;
}

/// <summary>
/// The worker's side of <see cref="RunEndpoints"/>. Every call is repeated while the server is away, restarting or busy, until
/// the worker's patience ends; all calls may be repeated without harm.
/// </summary>
internal sealed class RunClient : IDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly string _path;

    /// <param name="server">The server's URL.</param>
    /// <param name="runId">The run.</param>
    /// <param name="token">Its secret.</param>
    /// <param name="time">Clock of the waits.</param>
    public RunClient(Uri server, string runId, string token, TimeProvider time)
    {
        _time = time;
        _path = $"/internal/v1/runs/{runId}";
#pragma warning disable CA2000 // The client owns it.
        SocketsHttpHandler handler = new()
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AllowAutoRedirect = false,
            // Nothing but the server that launched this worker is ever spoken to.
            UseProxy = false,
        };
#pragma warning restore CA2000

        // Per call, uploads included; a call that takes longer is repeated.
        _http = new HttpClient(handler) { BaseAddress = server, Timeout = TimeSpan.FromMinutes(30) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>How long calls are repeated while no answer comes.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>What is to be done.</summary>
    public Task<RunSpec> GetSpecAsync(CancellationToken cancellation) =>
        CallAsync(HttpMethod.Get, "", null, RunJson.Default.RunSpec, cancellation);

    /// <summary>Fetches a data file of the job into <paramref name="path"/>.</summary>
    public Task DownloadFileAsync(RemoteFile file, string path, CancellationToken cancellation) =>
        DownloadAsync($"/files/{file.Name}", file, path, cancellation);

    /// <summary>Fetches a file of the tuned model that the job starts from.</summary>
    public Task DownloadModelFileAsync(RemoteFile file, string path, CancellationToken cancellation) =>
        DownloadAsync($"/model/{file.Name}", file, path, cancellation);

    /// <summary>Fetches the run state to go on from.</summary>
    public Task DownloadStateAsync(RemoteFile state, string path, CancellationToken cancellation) =>
        DownloadAsync("/state", state, path, cancellation);

    /// <summary>Reports life and progress.</summary>
    public Task<RunDirective> HeartbeatAsync(HeartbeatReport report, CancellationToken cancellation) =>
        PostAsync("/heartbeat", report, RunJson.Default.HeartbeatReport, cancellation);

    /// <summary>Reports events.</summary>
    public Task<RunDirective> AppendAsync(IReadOnlyList<EventItem> events, CancellationToken cancellation) =>
        PostAsync("/events", new EventReport(events), RunJson.Default.EventReport, cancellation);

    /// <summary>Stores a run state.</summary>
    public async Task<RunDirective> UploadStateAsync(int step, string path, CancellationToken cancellation)
    {
        string url = string.Create(CultureInfo.InvariantCulture, $"/state/{step}");
        DirectiveAnswer answer = await UploadAsync(
            url, path, await Hashing.Sha256Async(path, cancellation), RunJson.Default.DirectiveAnswer, cancellation);
        return Parse(answer);
    }

    /// <summary>Stores a checkpoint: every file of <paramref name="folder"/>, then the checkpoint itself.</summary>
    public async Task<RunDirective> UploadCheckpointAsync(
        string folder, int step, bool final, JsonElement metrics, CancellationToken cancellation)
    {
        string id = Ids.Checkpoint();
        List<RemoteFile> files = [];
        foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);
            string sha256 = await Hashing.Sha256Async(path, cancellation);
            await UploadAsync($"/checkpoints/{id}/{name}", path, sha256, RunJson.Default.BlobAnswer, cancellation);
            files.Add(new RemoteFile(name, new FileInfo(path).Length, sha256));
        }
        return await PostAsync(
            "/checkpoints", new CheckpointReport(id, step, final, metrics, files), RunJson.Default.CheckpointReport, cancellation);
    }

    /// <summary>Ends the run with success.</summary>
    public Task<RunDirective> FinishAsync(long trainedTokens, CancellationToken cancellation) =>
        PostAsync("/finish", new FinishReport(trainedTokens), RunJson.Default.FinishReport, cancellation);

    /// <summary>Ends the run and the job with an error.</summary>
    public Task<RunDirective> FailAsync(FailureReport report, CancellationToken cancellation) =>
        PostAsync("/fail", report, RunJson.Default.FailureReport, cancellation);

    /// <summary>Ends the run and leaves the job to another one. A run that the server no longer knows has ended already.</summary>
    public async Task ReleaseAsync(CancellationToken cancellation)
    {
        try
        {
            await CallAsync(HttpMethod.Post, "/release", null, RunJson.Default.DirectiveAnswer, cancellation);
        }
        catch (RunLostException)
        {
            // That is what was wished.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<RunDirective> PostAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(body, type);
        HttpContent Content()
        {
            ByteArrayContent content = new(json);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            return content;
        }
        return Parse(await CallAsync(HttpMethod.Post, path, Content, RunJson.Default.DirectiveAnswer, cancellation));
    }

    private Task<T> UploadAsync<T>(
        string path, string file, string sha256, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        HttpContent Content()
        {
#pragma warning disable CA2000 // The content owns the stream.
            StreamContent content = new(File.OpenRead(file));
#pragma warning restore CA2000
            content.Headers.Add(RunEndpoints.Sha256Header, sha256);
            return content;
        }
        return CallAsync(HttpMethod.Put, path, Content, type, cancellation);
    }

    private Task<T> CallAsync<T>(
        HttpMethod method, string path, Func<HttpContent>? content, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        RepeatAsync(
            async () =>
            {
                using HttpRequestMessage request = new(method, _path + path) { Content = content?.Invoke() };
                using HttpResponseMessage response = await SendAsync(request, cancellation);
                using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
                return await JsonSerializer.DeserializeAsync(body, type, cancellation)
                    ?? throw new HttpIOException(HttpRequestError.InvalidResponse, "The answer is empty.");
            },
            cancellation);

    /// <summary>The file at <paramref name="path"/> is whole and right when the task completes.</summary>
    private Task DownloadAsync(string url, RemoteFile file, string path, CancellationToken cancellation) =>
        RepeatAsync(
            async () =>
            {
                using HttpRequestMessage request = new(HttpMethod.Get, _path + url);
                using HttpResponseMessage response = await SendAsync(request, cancellation);
                using (FileStream target = File.Create(path))
                {
                    await response.Content.CopyToAsync(target, cancellation);
                }
                return await Hashing.Sha256Async(path, cancellation) == file.Sha256
                    ? true
                    : throw new HttpIOException(HttpRequestError.InvalidResponse, $"{file.Name} arrived damaged.");
            },
            cancellation);

    /// <summary>The answer of a request that succeeded; an exception that says whether to try again otherwise.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }
        using (response)
        {
            (string message, string code, string? param) = await ReadErrorAsync(response, cancellation);
            throw response.StatusCode switch
            {
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new RunLostException(message),
                HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests =>
                    new HttpRequestException(message, null, response.StatusCode),
                >= HttpStatusCode.InternalServerError => new HttpRequestException(message, null, response.StatusCode),
                _ => new RunRefusedException(message, code, param),
            };
        }
    }

    private async Task<T> RepeatAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        long started = _time.GetTimestamp();
        TimeSpan wait = FirstWait;
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException or JsonException
                || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
            {
                if (_time.GetElapsedTime(started) > Patience)
                {
                    throw new ServerLostException($"The server at {_http.BaseAddress} could not be reached: {e.Message}", e);
                }
            }
            await Task.Delay(wait, _time, cancellation);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private static async Task<(string Message, string Code, string? Param)> ReadErrorAsync(
        HttpResponseMessage response, CancellationToken cancellation)
    {
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation);
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            JsonElement error = document.RootElement.GetProperty("error");
            return (
                error.GetProperty("message").GetString() ?? "",
                error.GetProperty("code").GetString() ?? "server_error",
                error.GetProperty("param").GetString());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return ($"The server answered {(int)response.StatusCode}.", "server_error", null);
        }
    }

    private static RunDirective Parse(DirectiveAnswer answer) => answer.Directive switch
    {
        "continue" => RunDirective.Continue,
        "pause" => RunDirective.Pause,
        _ => RunDirective.Stop,
    };
}
