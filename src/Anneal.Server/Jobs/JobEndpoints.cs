using System.Security.Cryptography;
using Anneal.Jobs;
using Anneal.Server.Http;
using Anneal.Server.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Anneal.Server.Jobs;

/// <summary><c>/v1/fine_tuning/jobs</c>.</summary>
internal static class JobEndpoints
{
    private const int JobsDefault = 20;
    private const int EventsDefault = 20;
    private const int CheckpointsDefault = 10;
    private const int IdempotencyKeyCharsMax = 255;

    /// <summary>Adds the routes.</summary>
    public static void MapJobs(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("/v1/fine_tuning/jobs");
        group.MapPost("", CreateAsync);
        group.MapGet("", ListAsync);
        group.MapGet("/{jobId}", RetrieveAsync);
        group.MapPost("/{jobId}/cancel", CancelAsync);
        group.MapPost("/{jobId}/pause", PauseAsync);
        group.MapPost("/{jobId}/resume", ResumeAsync);
        group.MapGet("/{jobId}/events", ListEventsAsync);
        group.MapGet("/{jobId}/checkpoints", ListCheckpointsAsync);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, JobStore store, ModelFolders bases, JobAnswers answers, CancellationToken cancellation)
    {
        using JsonBody body = await RequestBody.ReadObjectAsync(context, cancellation);
        ApiFaults faults = new();
        NewJob? job = await new JobValidation(store, bases).ReadAsync(body.Fields(faults), faults, cancellation);
        string idempotencyKey = context.Request.Headers["Idempotency-Key"].ToString();
        if (idempotencyKey.Length > IdempotencyKeyCharsMax)
        {
            faults.Add(
                $"The header Idempotency-Key is longer than {IdempotencyKeyCharsMax} characters.", "Idempotency-Key",
                "string_above_max_length");
        }
        if (faults.ToError() is ApiError error)
        {
            return error;
        }
        if (idempotencyKey.Length > 0)
        {
            string hash = Convert.ToHexStringLower(SHA256.HashData(body.Utf8));
            job = job! with { IdempotencyKey = new IdempotencyKey($"{KeyRequired.Of(context).Id}:{idempotencyKey}", hash) };
        }
        Submission submission = await store.SubmitAsync(job!, cancellation);
        return submission.Outcome switch
        {
            SubmissionOutcome.KeyReused => new ApiError(
                StatusCodes.Status409Conflict,
                "The Idempotency-Key was used before for a request with another body. Use a new key for a new request.",
                "Idempotency-Key", "idempotency_key_reused", ShouldRetry: false),
            SubmissionOutcome.FileMissing => ApiError.Bad(
                $"No such File object: {submission.MissingId}",
                submission.MissingId == job!.TrainingFile ? "training_file" : "validation_file",
                submission.MissingId == job.TrainingFile ? "invalid_training_file" : "invalid_validation_file"),
            SubmissionOutcome.ModelMissing => ApiError.Bad(
                $"Model {submission.MissingId} is not available for fine-tuning or does not exist.", "model", "model_not_available"),
            _ => answers.Ok(submission.Job!),
        };
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, JobStore store, JobAnswers answers, CancellationToken cancellation)
    {
        ListQuery query = new(context.Request.Query);
        string? after = query.Text("after");
        int limit = query.Limit(JobsDefault);
        MetadataFilter? filter = query.Metadata();
        if (query.Check() is ApiError error)
        {
            return error;
        }
        Page<Job>? page = await store.ListJobsAsync(after, limit, filter, cancellation);
        return page is null ? ApiError.UnknownCursor(after!) : answers.Ok(page);
    }

    private static async Task<IResult> RetrieveAsync(
        string jobId, JobStore store, JobAnswers answers, CancellationToken cancellation)
    {
        Job? job = await store.GetJobAsync(jobId, cancellation);
        return job is null ? ApiError.NoJob(jobId) : answers.Ok(job);
    }

    private static async Task<IResult> CancelAsync(
        string jobId, JobStore store, JobAnswers answers, CancellationToken cancellation) =>
        answers.Changed(jobId, "cancel", await store.CancelAsync(jobId, cancellation));

    private static async Task<IResult> PauseAsync(
        string jobId, JobStore store, JobAnswers answers, CancellationToken cancellation) =>
        answers.Changed(jobId, "pause", await store.PauseAsync(jobId, cancellation));

    private static async Task<IResult> ResumeAsync(
        string jobId, JobStore store, JobAnswers answers, CancellationToken cancellation) =>
        answers.Changed(jobId, "resume", await store.ResumeAsync(jobId, cancellation));

    private static async Task<IResult> ListEventsAsync(
        string jobId, HttpContext context, JobStore store, TimeProvider time, IHostApplicationLifetime lifetime,
        CancellationToken cancellation)
    {
        ListQuery query = new(context.Request.Query);
        string? after = query.Text("after");
        int limit = query.Limit(EventsDefault);
        bool stream = query.Boolean("stream") ?? false;
        if (query.Check() is ApiError error)
        {
            return error;
        }
        if (await store.GetJobAsync(jobId, cancellation) is null)
        {
            return ApiError.NoJob(jobId);
        }
        if (stream)
        {
            return new JobEventStream(store, time, lifetime, jobId);
        }
        Page<JobEvent>? page = await store.ListEventsAsync(jobId, after, limit, cancellation);
        return page is null
            ? ApiError.UnknownCursor(after!)
            : ApiJson.Ok(
                PlainListWire<EventWire>.Of([.. page.Items.Select(EventWire.Of)], page.HasMore),
                ApiJson.Default.PlainListWireEventWire);
    }

    private static async Task<IResult> ListCheckpointsAsync(
        string jobId, HttpContext context, JobStore store, CancellationToken cancellation)
    {
        ListQuery query = new(context.Request.Query);
        string? after = query.Text("after");
        int limit = query.Limit(CheckpointsDefault);
        if (query.Check() is ApiError error)
        {
            return error;
        }
        if (await store.GetJobAsync(jobId, cancellation) is null)
        {
            return ApiError.NoJob(jobId);
        }
        Page<Checkpoint>? page = await store.ListCheckpointsAsync(jobId, after, limit, cancellation);
        if (page is null)
        {
            return ApiError.UnknownCursor(after!);
        }
        CheckpointWire[] items = [.. page.Items.Select(CheckpointWire.Of)];
        return ApiJson.Ok(
            ListWire<CheckpointWire>.Of(items, checkpoint => checkpoint.Id, page.HasMore), ApiJson.Default.ListWireCheckpointWire);
    }
}
