using System.Data.Common;
using Anneal.Jobs.Blobs;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Anneal.Server.Http;

/// <summary>
/// The outermost step of every request but the response headers: whatever goes wrong further in, and every status without a
/// body that routing or the server set, leaves as the API's envelope.
/// </summary>
internal sealed partial class ApiErrorHandler(RequestDelegate next, ILogger<ApiErrorHandler> logger)
{
    /// <summary>Runs the rest of the pipeline and answers for its failures.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; nobody reads an answer. Whatever was thrown is a consequence of that.
            return;
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            ApiError error = ErrorOf(exception, context);
            context.Response.Clear();
            await error.ExecuteAsync(context);
            return;
        }
        if (!context.Response.HasStarted && context.Response.StatusCode >= 400)
        {
            await BodilessStatus(context).ExecuteAsync(context);
        }
    }

    /// <summary>What the user is told about an exception. Anything unexpected is logged and told without its insides.</summary>
    private ApiError ErrorOf(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case ApiException known:
                return known.Error;
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return RequestLimits.TooLarge("The request body", RequestLimits.BodyBytesMax);
            case BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }:
                return new ApiError(StatusCodes.Status408RequestTimeout, "The request body arrived too slowly.");
            case BadHttpRequestException bad:
                return ApiError.Bad("The request could not be read: " + bad.Message);
            case BlobStorageException full:
                Log.StorageFailed(logger, full, context.TraceIdentifier);
                return new ApiError(
                    StatusCodes.Status507InsufficientStorage,
                    full.Message + " Nothing that was already stored is lost.",
                    Code: "insufficient_storage",
                    Type: ApiError.ServerError,
                    ShouldRetry: false);
            case DbException database:
                // Nearly always a full or broken disk, which the operator can put right.
                Log.StorageFailed(logger, database, context.TraceIdentifier);
                return new ApiError(
                    StatusCodes.Status500InternalServerError,
                    $"The server's database failed: {database.Message} Nothing that was already stored is lost.",
                    Code: "database_failed",
                    Type: ApiError.ServerError,
                    ShouldRetry: false);
            default:
                Log.Unexpected(logger, exception, context.Request.Method, context.Request.Path, context.TraceIdentifier);
                return new ApiError(
                    StatusCodes.Status500InternalServerError,
                    $"The server had an error while processing your request. Its log has the details under {context.TraceIdentifier}.",
                    Type: ApiError.ServerError,
                    ShouldRetry: false);
        }
    }

    private static ApiError BodilessStatus(HttpContext context)
    {
        HttpRequest request = context.Request;
        return context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => new ApiError(
                StatusCodes.Status404NotFound, $"Invalid URL ({request.Method} {request.Path})", Code: "unknown_url"),
            StatusCodes.Status405MethodNotAllowed => new ApiError(
                StatusCodes.Status405MethodNotAllowed,
                $"Not allowed to {request.Method} on {request.Path}. This URL accepts {context.Response.Headers.Allow}.",
                Code: "method_not_supported"),
            StatusCodes.Status416RangeNotSatisfiable => new ApiError(
                StatusCodes.Status416RangeNotSatisfiable,
                $"The requested range lies outside of the content ({context.Response.Headers.ContentRange}).",
                "Range", "range_not_satisfiable"),
            int status => new ApiError(
                status,
                $"The request was refused with HTTP status {status}.",
                Type: status >= 500 ? ApiError.ServerError : ApiError.InvalidRequest,
                ShouldRetry: status >= 500 ? false : null),
        };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed ({RequestId})")]
        public static partial void Unexpected(
            ILogger logger, Exception exception, string method, PathString path, string requestId);

        [LoggerMessage(2, LogLevel.Error, "Nothing can be stored ({RequestId})")]
        public static partial void StorageFailed(ILogger logger, Exception exception, string requestId);
    }
}
