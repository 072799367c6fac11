using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Http;

/// <summary>
/// A refusal in the API's envelope, <c>{"error":{"message","type","param","code"}}</c>, all four always present.
/// It is an <see cref="IResult"/>, so handlers return it like any other answer.
/// </summary>
/// <param name="Status">HTTP status. Never 409 or 5xx for a final answer without <paramref name="ShouldRetry"/> false.</param>
/// <param name="Message">For people: what is wrong and what would be right.</param>
/// <param name="Param">The request field at fault, as a path such as <c>messages[0].role</c>.</param>
/// <param name="Code">Machine-readable.</param>
/// <param name="Type">The kind of error; nearly always <c>invalid_request_error</c>.</param>
/// <param name="ShouldRetry">
/// Sent as <c>x-should-retry</c>: the official clients repeat 408, 409, 429 and 5xx unless told otherwise. Null says nothing.
/// </param>
/// <param name="RetryAfterSeconds">Sent as <c>Retry-After</c>; null says nothing.</param>
internal sealed record ApiError(
    int Status,
    string Message,
    string? Param = null,
    string? Code = null,
    string Type = ApiError.InvalidRequest,
    bool? ShouldRetry = null,
    int? RetryAfterSeconds = null) : IResult
{
    /// <summary>The type of every error that the client can put right.</summary>
    public const string InvalidRequest = "invalid_request_error";

    /// <summary>The type of errors that are the server's own.</summary>
    public const string ServerError = "server_error";

    /// <summary>400: the request itself is wrong.</summary>
    public static ApiError Bad(string message, string? param = null, string? code = null) =>
        new(StatusCodes.Status400BadRequest, message, param, code);

    /// <summary>404 for a file, in upstream's words.</summary>
    public static ApiError NoFile(string id) =>
        new(StatusCodes.Status404NotFound, $"No such File object: {id}", "id");

    /// <summary>404 for a job, in upstream's words.</summary>
    public static ApiError NoJob(string id) =>
        new(StatusCodes.Status404NotFound, $"Could not find fine tune: {id}", "fine_tune_id", "fine_tune_not_found");

    /// <summary>404 for a model, in upstream's words.</summary>
    public static ApiError NoModel(string id) => new(
        StatusCodes.Status404NotFound,
        $"The model `{id}` does not exist or you do not have access to it.",
        Code: "model_not_found");

    /// <summary>400 for a cursor that names nothing.</summary>
    public static ApiError UnknownCursor(string after) =>
        Bad($"Invalid 'after': no item of this list has the id '{after}'.", "after", "invalid_value");

    /// <summary>The envelope as UTF-8 JSON.</summary>
    public byte[] ToUtf8() => ApiJson.Write(new ErrorEnvelope(new ErrorBody(Message, Type, Param, Code)), ApiJson.Default.ErrorEnvelope);

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        byte[] body = ToUtf8();
        HttpResponse response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = ApiJson.ContentType;
        response.ContentLength = body.Length;
        if (ShouldRetry is bool retry)
        {
            response.Headers["x-should-retry"] = retry ? "true" : "false";
        }
        if (RetryAfterSeconds is int seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }
}

/// <summary>The JSON of an <see cref="ApiError"/>.</summary>
internal sealed record ErrorEnvelope(ErrorBody Error);

/// <inheritdoc cref="ErrorEnvelope"/>
internal sealed record ErrorBody(string Message, string Type, string? Param, string? Code);

/// <summary>Carries an <see cref="ApiError"/> out of code that reads a request, to the one handler that answers it.</summary>
internal sealed class ApiException(ApiError error) : Exception(error.Message)
{
    /// <summary>The answer.</summary>
    public ApiError Error { get; } = error;
}
