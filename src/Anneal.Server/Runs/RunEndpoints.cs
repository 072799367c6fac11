using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Anneal.Server.Http;
using Anneal.Server.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Anneal.Server.Runs;

/// <summary>
/// <c>/internal/v1/runs/{run}</c>: what workers do, and nothing else can. The bearer token is the run's own; the database holds
/// its hash. Every write answers with a directive, so a worker hears of a pause or a cancel with whatever it says next.
/// </summary>
internal static partial class RunEndpoints
{
    /// <summary>Header with the SHA-256 of an upload, as the worker computed it.</summary>
    public const string Sha256Header = "X-Content-Sha256";

    /// <summary>Adds the routes.</summary>
    public static void MapRuns(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("/internal/v1/runs/{runId}");
        group.MapGet("", GetAsync);
        group.MapGet("/files/{fileId}", GetFileAsync);
        group.MapGet("/model/{name}", GetModelFileAsync);
        group.MapGet("/state", GetStateAsync);
        group.MapPut("/state/{step:int}", PutStateAsync);
        group.MapPut("/checkpoints/{checkpointId}/{name}", PutCheckpointFileAsync);
        group.MapPost("/checkpoints", PostCheckpointAsync);
        group.MapPost("/heartbeat", HeartbeatAsync);
        group.MapPost("/events", AppendAsync);
        group.MapPost("/finish", FinishAsync);
        group.MapPost("/fail", FailAsync);
        group.MapPost("/release", ReleaseAsync);
    }

    [OwnCredential]
    private static async Task<IResult> GetAsync(
        string runId, HttpContext context, JobStore store, IBlobStore blobs, ModelFolders models, RunOptions options,
        CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        Job job = (await store.GetJobAsync(run.JobId, cancellation))!;
        if (job.RunId != run.Id)
        {
            return LostJob;
        }
        StoredFile? training = await store.GetJobFileAsync(job.Id, job.TrainingFile, cancellation);
        StoredFile? validation = job.ValidationFile is string id ? await store.GetJobFileAsync(job.Id, id, cancellation) : null;
        TunedModel? start = job.Model == job.BaseModel ? null : await store.GetModelAsync(job.Model, cancellation);
        if (models.Find(job.BaseModel) is not BaseModelFolder model)
        {
            return ApiError.Bad($"The base model {job.BaseModel} is not on this server any more.", "model", "model_not_available");
        }
        if (training is null || (validation is null && job.ValidationFile is not null))
        {
            return LostJob;
        }
        RunStateRef? state = await NewestStateAsync(job.Id, store, blobs, cancellation);
        using JsonDocument hyperparameters = JsonDocument.Parse(job.HyperparametersJson);
        RunSpec spec = new(
            run.Id, job.Id, run.Fence, model.Folder,
            start is null ? [] : [.. start.Files.Select(f => new RemoteFile(f.Name, f.Bytes, f.Sha256))],
            Remote(training), validation is null ? null : Remote(validation),
            job.MethodType, hyperparameters.RootElement, job.Seed,
            state is null ? null : new RemoteFile(state.Step.ToString(CultureInfo.InvariantCulture), state.Bytes, state.Sha256),
            options.Heartbeat.TotalSeconds, options.StateInterval.TotalSeconds, options.GiveUp.TotalSeconds);
        return ApiJson.Ok(spec, RunJson.Default.RunSpec);
    }

    [OwnCredential]
    private static async Task<IResult> GetFileAsync(
        string runId, string fileId, HttpContext context, JobStore store, IBlobStore blobs, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        StoredFile? file = await store.GetJobFileAsync(run.JobId, fileId, cancellation);
        return file is null ? ApiError.NoFile(fileId) : Bytes(blobs, file.BlobKey);
    }

    [OwnCredential]
    private static async Task<IResult> GetModelFileAsync(
        string runId, string name, HttpContext context, JobStore store, IBlobStore blobs, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        Job job = (await store.GetJobAsync(run.JobId, cancellation))!;
        TunedModel? model = await store.GetModelAsync(job.Model, cancellation);
        NamedBlob? file = model?.Files.FirstOrDefault(f => f.Name == name);
        return file is null ? ApiError.NoFile(name) : Bytes(blobs, file.BlobKey);
    }

    [OwnCredential]
    private static async Task<IResult> GetStateAsync(
        string runId, HttpContext context, JobStore store, IBlobStore blobs, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        RunStateRef? state = await NewestStateAsync(run.JobId, store, blobs, cancellation);
        return state is null ? ApiError.NoFile("state") : Bytes(blobs, state.BlobKey);
    }

    [OwnCredential]
    private static async Task<IResult> PutStateAsync(
        string runId, int step, HttpContext context, JobStore store, IBlobStore blobs, TimeProvider time,
        CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        // A key of its own for each upload: a repeated one never touches what the first stored.
        BlobInfo? blob = await ReceiveAsync($"states/{run.Id}/{Ids.Secret($"{step}-")}", context, blobs, cancellation);
        if (blob is null)
        {
            return DamagedUpload;
        }
        RunDirective directive = await store.SaveRunStateAsync(
            run.Lease, new RunStateRef(run.JobId, step, blob.Key, blob.Bytes, blob.Sha256, time.GetUtcNow()), cancellation);
        if (directive == RunDirective.Stop)
        {
            blobs.Delete(blob.Key);
        }
        return Answer(directive);
    }

    [OwnCredential]
    private static async Task<IResult> PutCheckpointFileAsync(
        string runId, string checkpointId, string name, HttpContext context, JobStore store, IBlobStore blobs,
        CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is null)
        {
            return UnknownRun;
        }
        if (!CheckpointId().IsMatch(checkpointId) || !FileName().IsMatch(name))
        {
            return ApiError.Bad("That is not a checkpoint's id and a file name.");
        }
        string key = CheckpointKey(checkpointId, name);
        if (!await store.KnowsBlobAsync(key, cancellation))
        {
            // An upload that is repeated because its answer was lost replaces the first one, which no row knows.
            blobs.Delete(key);
        }
        BlobInfo? blob = await ReceiveAsync(key, context, blobs, cancellation);
        return blob is null
            ? DamagedUpload
            : ApiJson.Ok(new BlobAnswer(blob.Bytes, blob.Sha256), RunJson.Default.BlobAnswer);
    }

    [OwnCredential]
    private static async Task<IResult> PostCheckpointAsync(
        string runId, HttpContext context, JobStore store, IBlobStore blobs, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        CheckpointReport report = await ReadAsync(context, RunJson.Default.CheckpointReport, cancellation);
        if (!CheckpointId().IsMatch(report.Id) || !report.Files.All(f => FileName().IsMatch(f.Name)))
        {
            return ApiError.Bad("That is not a checkpoint's id and file names.");
        }
        List<NamedBlob> files = [];
        foreach (RemoteFile file in report.Files)
        {
            string key = CheckpointKey(report.Id, file.Name);
            if (!await blobs.VerifyAsync(key, file.Bytes, file.Sha256, cancellation))
            {
                return DamagedUpload;
            }
            files.Add(new NamedBlob(file.Name, key, file.Bytes, file.Sha256));
        }
        NewCheckpoint checkpoint = new(report.Id, report.Step, report.Final, report.Metrics.GetRawText(), files);
        Checkpoint? saved = await store.SaveCheckpointAsync(run.Lease, checkpoint, cancellation);
        if (saved is not null)
        {
            // What a heartbeat will say: the save itself does not tell a pause from going on.
            return Answer(RunDirective.Continue);
        }
        foreach (NamedBlob file in files)
        {
            blobs.Delete(file.BlobKey);
        }
        return Answer(RunDirective.Stop);
    }

    [OwnCredential]
    private static async Task<IResult> HeartbeatAsync(
        string runId, HttpContext context, JobStore store, TimeProvider time, RunOptions options, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        HeartbeatReport report = await ReadAsync(context, RunJson.Default.HeartbeatReport, cancellation);
        DateTimeOffset? finish = report.SecondsLeft is double left && double.IsFinite(left)
            ? time.GetUtcNow() + TimeSpan.FromSeconds(Math.Clamp(left, 0, TimeSpan.FromDays(3650).TotalSeconds))
            : null;
        return Answer(await store.HeartbeatAsync(
            run.Lease, options.Lease, new RunProgress(report.Step, finish), cancellation));
    }

    [OwnCredential]
    private static async Task<IResult> AppendAsync(
        string runId, HttpContext context, JobStore store, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        EventReport report = await ReadAsync(context, RunJson.Default.EventReport, cancellation);
        if (report.Events.Count > Limits.EventBatchMax)
        {
            return ApiError.Bad($"More than {Limits.EventBatchMax} events in one batch.");
        }
        RunEvent[] events =
        [
            .. report.Events.Select(e => new RunEvent(
                e.Sequence, EventLevelNames.Parse(e.Level), e.Message, e.Step, e.Data?.GetRawText())),
        ];
        return Answer(await store.AppendEventsAsync(run.Lease, events, cancellation));
    }

    [OwnCredential]
    private static async Task<IResult> FinishAsync(
        string runId, HttpContext context, JobStore store, IBlobStore blobs, TimeProvider time, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        FinishReport report = await ReadAsync(context, RunJson.Default.FinishReport, cancellation);
        string id = Ids.File();
        byte[] table = await ResultTable.WriteAsync(store, run.JobId, cancellation);
        BlobInfo blob = await blobs.WriteAsync($"files/{id}", new MemoryStream(table), table.Length, cancellation);
        StoredFile result = new()
        {
            Id = id,
            FileName = ResultTable.FileName,
            Purpose = "fine-tune-results",
            Bytes = blob.Bytes,
            Sha256 = blob.Sha256,
            BlobKey = blob.Key,
            CreatedAt = time.GetUtcNow(),
            Status = FileStatus.Processed,
        };
        Job? job = await store.FinishAsync(run.Lease, report.TrainedTokens, result, cancellation);
        if (job is null || !job.ResultFiles.Contains(id))
        {
            blobs.Delete(blob.Key);
        }
        return await AnswerReportAsync(job, run, store, cancellation);
    }

    [OwnCredential]
    private static async Task<IResult> FailAsync(
        string runId, HttpContext context, JobStore store, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        FailureReport report = await ReadAsync(context, RunJson.Default.FailureReport, cancellation);
        Job? job = await store.FailAsync(run.Lease, new JobError(report.Code, report.Message, report.Param), cancellation);
        return await AnswerReportAsync(job, run, store, cancellation);
    }

    [OwnCredential]
    private static async Task<IResult> ReleaseAsync(
        string runId, HttpContext context, JobStore store, CancellationToken cancellation)
    {
        if (await FindAsync(runId, context, store, cancellation) is not Run run)
        {
            return UnknownRun;
        }
        await store.ReleaseAsync(run.Lease, cancellation);
        return Answer(RunDirective.Stop);
    }

    /// <summary>Stop after a report that took effect; pause when the user paused the job meanwhile.</summary>
    private static async Task<IResult> AnswerReportAsync(Job? job, Run run, JobStore store, CancellationToken cancellation)
    {
        if (job is not null)
        {
            return Answer(RunDirective.Stop);
        }
        Job standing = (await store.GetJobAsync(run.JobId, cancellation))!;
        return Answer(standing.RunId == run.Id ? RunDirective.Pause : RunDirective.Stop);
    }

    private static async Task<Run?> FindAsync(
        string runId, HttpContext context, JobStore store, CancellationToken cancellation)
    {
        string header = context.Request.Headers.Authorization.ToString();
        const string scheme = "Bearer ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        Run? run = await store.FindRunAsync(Ids.HashSecret(header[scheme.Length..].Trim()), cancellation);
        return run?.Id == runId ? run : null;
    }

    /// <summary>The newest run state whose bytes are undamaged.</summary>
    private static async Task<RunStateRef?> NewestStateAsync(
        string jobId, JobStore store, IBlobStore blobs, CancellationToken cancellation)
    {
        foreach (RunStateRef state in await store.ListRunStatesAsync(jobId, cancellation))
        {
            if (await blobs.VerifyAsync(state.BlobKey, state.Bytes, state.Sha256, cancellation))
            {
                return state;
            }
        }
        return null;
    }

    /// <summary>Stores the body; null when it is not what its sender says it is.</summary>
    private static async Task<BlobInfo?> ReceiveAsync(
        string key, HttpContext context, IBlobStore blobs, CancellationToken cancellation)
    {
        // A worker is trusted with the size of what it makes: it has this machine's disk anyway.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
        BlobInfo blob = await blobs.WriteAsync(key, context.Request.Body, long.MaxValue, cancellation);
        if (blob.Sha256 == context.Request.Headers[Sha256Header].ToString())
        {
            return blob;
        }
        blobs.Delete(key);
        return null;
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, cancellation)
                ?? throw new JsonException("The body is null.");
        }
        catch (JsonException e)
        {
            throw new ApiException(ApiError.Bad($"The report is not understood: {e.Message}"));
        }
    }

    private static IResult Bytes(IBlobStore blobs, string key) =>
        blobs.OpenRead(key) is Stream stream ? Results.Stream(stream, "application/octet-stream") : ApiError.NoFile(key);

    private static IResult Answer(RunDirective directive) => ApiJson.Ok(
        new DirectiveAnswer(directive switch
        {
            RunDirective.Continue => "continue",
            RunDirective.Pause => "pause",
            _ => "stop",
        }),
        RunJson.Default.DirectiveAnswer);

    private static RemoteFile Remote(StoredFile file) => new(file.Id, file.Bytes, file.Sha256);

    private static string CheckpointKey(string checkpointId, string name) => $"checkpoints/{checkpointId}/{name}";

    private static ApiError UnknownRun { get; } = new(
        StatusCodes.Status401Unauthorized, "The run's token is missing or wrong.", Code: "invalid_run_token");

    private static ApiError LostJob { get; } = new(
        StatusCodes.Status403Forbidden, "The run does not hold its job any more.", Code: "run_ended");

    /// <summary>422, for the worker to send it again.</summary>
    private static ApiError DamagedUpload { get; } = new(
        StatusCodes.Status422UnprocessableEntity, "The bytes that arrived are not those that were sent.", Code: "damaged_upload");

    [GeneratedRegex("^ftckpt_[A-Za-z0-9]{24}$")]
    private static partial Regex CheckpointId();

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$")]
    private static partial Regex FileName();
}
