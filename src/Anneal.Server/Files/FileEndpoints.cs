using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Anneal.Server.Files;

/// <summary><c>/v1/files</c>: what users upload and jobs produce.</summary>
internal static class FileEndpoints
{
    private const int PageItemsDefault = 10_000;

    /// <summary>Adds the routes.</summary>
    public static void MapFiles(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("/v1/files");
        group.MapPost("", CreateAsync);
        group.MapGet("", ListAsync);
        group.MapGet("/{fileId}", RetrieveAsync);
        group.MapDelete("/{fileId}", DeleteAsync);
        group.MapGet("/{fileId}/content", ContentAsync);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, JobStore store, IBlobStore blobs, TimeProvider time, CancellationToken cancellation)
    {
        StoredFile file = await new FileUpload(blobs, time, Limits.FileBytesMax).ReceiveAsync(context, cancellation);
        await store.AddFileAsync(file, cancellation);
        return ApiJson.Ok(FileWire.Of(file), ApiJson.Default.FileWire);
    }

    private static async Task<IResult> ListAsync(HttpContext context, JobStore store, CancellationToken cancellation)
    {
        ListQuery query = new(context.Request.Query);
        string? purpose = query.Text("purpose");
        int limit = query.Limit(PageItemsDefault);
        bool oldestFirst = query.Choice("order", "asc", "desc") is "asc";
        string? after = query.Text("after");
        if (query.Check() is ApiError error)
        {
            return error;
        }
        Page<StoredFile>? page = await store.ListFilesAsync(purpose, after, limit, oldestFirst, cancellation);
        if (page is null)
        {
            return ApiError.UnknownCursor(after!);
        }
        FileWire[] items = [.. page.Items.Select(FileWire.Of)];
        return ApiJson.Ok(ListWire<FileWire>.Of(items, file => file.Id, page.HasMore), ApiJson.Default.ListWireFileWire);
    }

    private static async Task<IResult> RetrieveAsync(string fileId, JobStore store, CancellationToken cancellation)
    {
        StoredFile? file = await store.GetFileAsync(fileId, cancellation);
        return file is null ? ApiError.NoFile(fileId) : ApiJson.Ok(FileWire.Of(file), ApiJson.Default.FileWire);
    }

    private static async Task<IResult> DeleteAsync(string fileId, JobStore store, CancellationToken cancellation)
    {
        Deletion deletion = await store.DeleteFileAsync(fileId, cancellation);
        return deletion.Outcome switch
        {
            DeletionOutcome.NotFound => ApiError.NoFile(fileId),
            DeletionOutcome.InUse => ApiError.Bad(
                $"The file {fileId} is used by the fine-tuning job {deletion.JobId}. Cancel the job, or wait until it is done.",
                "id", "file_in_use"),
            _ => ApiJson.Ok(new DeletionWire(fileId, "file", Deleted: true), ApiJson.Default.DeletionWire),
        };
    }

    /// <summary>The bytes as they were uploaded, whatever the client accepts; ranges are honoured.</summary>
    private static async Task<IResult> ContentAsync(
        string fileId, JobStore store, IBlobStore blobs, CancellationToken cancellation)
    {
        StoredFile? file = await store.GetFileAsync(fileId, cancellation);
        Stream? content = file is null ? null : blobs.OpenRead(file.BlobKey);
        return content is null
            ? ApiError.NoFile(fileId)
            : TypedResults.File(
                content,
                ContentTypeOf(file!.FileName),
                file.FileName,
                lastModified: file.CreatedAt,
                entityTag: new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{file.Sha256}\""),
                enableRangeProcessing: true);
    }

    private static string ContentTypeOf(string fileName) => Path.GetExtension(fileName).ToLowerInvariant() switch
    {
        ".jsonl" => "application/jsonl",
        ".json" => "application/json",
        ".csv" => "text/csv",
        ".txt" => "text/plain",
        _ => "application/octet-stream",
    };
}
