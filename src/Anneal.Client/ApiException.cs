using System.Net;

namespace Anneal.Client;

/// <summary>The service answered with an error. <see cref="Exception.Message"/> is its own text.</summary>
public class ApiException : Exception
{
    /// <summary>Made from an error answer.</summary>
    /// <param name="status">HTTP status; 0 for an error inside a stream.</param>
    /// <param name="error">The envelope's content.</param>
    /// <param name="requestId">The answer's <c>x-request-id</c>.</param>
    public ApiException(HttpStatusCode status, ApiErrorDetail error, string? requestId)
        : base(error?.Message)
    {
        ArgumentNullException.ThrowIfNull(error);
        Status = status;
        ErrorType = error.Type;
        Param = error.Param;
        Code = error.Code;
        RequestId = requestId;
    }

    /// <summary>HTTP status; 0 for an error inside a stream.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>Kind of error, such as <c>invalid_request_error</c>.</summary>
    public string? ErrorType { get; }

    /// <summary>The field of the request that is at fault.</summary>
    public string? Param { get; }

    /// <summary>Machine-readable cause, such as <c>model_not_found</c>.</summary>
    public string? Code { get; }

    /// <summary>What the service's operator finds in its logs.</summary>
    public string? RequestId { get; }

    internal static ApiException From(HttpStatusCode status, ApiErrorDetail error, string? requestId) => (int)status switch
    {
        400 or 413 or 415 or 422 => new BadRequestException(status, error, requestId),
        401 or 403 => new AuthenticationException(status, error, requestId),
        404 => new NotFoundException(status, error, requestId),
        429 => new RateLimitException(status, error, requestId),
        >= 500 => new ServerException(status, error, requestId),
        _ => new ApiException(status, error, requestId),
    };
}

/// <summary>The request itself is wrong: <see cref="ApiException.Param"/> names the field.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="error">The envelope's content.</param>
/// <param name="requestId">The answer's <c>x-request-id</c>.</param>
public sealed class BadRequestException(HttpStatusCode status, ApiErrorDetail error, string? requestId)
    : ApiException(status, error, requestId);

/// <summary>The key is missing, wrong, or not allowed to do this.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="error">The envelope's content.</param>
/// <param name="requestId">The answer's <c>x-request-id</c>.</param>
public sealed class AuthenticationException(HttpStatusCode status, ApiErrorDetail error, string? requestId)
    : ApiException(status, error, requestId);

/// <summary>No such file, job, model or address.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="error">The envelope's content.</param>
/// <param name="requestId">The answer's <c>x-request-id</c>.</param>
public sealed class NotFoundException(HttpStatusCode status, ApiErrorDetail error, string? requestId)
    : ApiException(status, error, requestId);

/// <summary>Too many requests, even after the retries.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="error">The envelope's content.</param>
/// <param name="requestId">The answer's <c>x-request-id</c>.</param>
public sealed class RateLimitException(HttpStatusCode status, ApiErrorDetail error, string? requestId)
    : ApiException(status, error, requestId);

/// <summary>The service itself failed, even after the retries.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="error">The envelope's content.</param>
/// <param name="requestId">The answer's <c>x-request-id</c>.</param>
public sealed class ServerException(HttpStatusCode status, ApiErrorDetail error, string? requestId)
    : ApiException(status, error, requestId);

/// <summary>The service could not be reached, did not answer in time, or broke off its answer.</summary>
/// <param name="message">What happened, with the address.</param>
/// <param name="cause">The transport's own exception.</param>
public sealed class ConnectionException(string message, Exception? cause) : Exception(message, cause);

/// <summary>The content of the API's error envelope.</summary>
public sealed record ApiErrorDetail
{
    /// <summary>For people.</summary>
    public string? Message { get; init; }

    /// <summary>Kind of error, such as <c>invalid_request_error</c>.</summary>
    public string? Type { get; init; }

    /// <summary>The field of the request that is at fault.</summary>
    public string? Param { get; init; }

    /// <summary>Machine-readable cause.</summary>
    public string? Code { get; init; }
}

internal sealed record ErrorEnvelope(ApiErrorDetail? Error = null);
