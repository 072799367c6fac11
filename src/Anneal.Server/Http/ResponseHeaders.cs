using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Http;

/// <summary>
/// The headers of every reply, errors and streams included. The request id is the context's trace identifier, so logs
/// carry it too.
/// </summary>
internal sealed class ResponseHeaders(RequestDelegate next, Installation installation, TimeProvider time)
{
    /// <summary>The version of the wire format, as upstream names it.</summary>
    private const string ApiVersion = "2020-10-01";

    /// <summary>Names the request and arranges for the headers to be written last, so that nothing can clear them.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        long start = time.GetTimestamp();
        context.TraceIdentifier = "req_" + RandomNumberGenerator.GetHexString(32, lowercase: true);
        context.Response.OnStarting(() =>
        {
            IHeaderDictionary headers = context.Response.Headers;
            double elapsed = time.GetElapsedTime(start).TotalMilliseconds;
            headers["x-request-id"] = context.TraceIdentifier;
            headers["openai-processing-ms"] = ((long)elapsed).ToString(CultureInfo.InvariantCulture);
            headers["openai-version"] = ApiVersion;
            headers["openai-organization"] = installation.OrganizationId;
            headers["openai-project"] = installation.ProjectId;
            return Task.CompletedTask;
        });
        return next(context);
    }
}
