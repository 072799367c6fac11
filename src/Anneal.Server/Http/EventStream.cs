using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Http;

/// <summary>
/// Server-sent events as the API's clients expect them: <c>data:</c> lines only, never <c>id:</c> or <c>event:</c>, closed by
/// <c>data: [DONE]</c>. Comments keep idle connections open. Used by one caller at a time.
/// </summary>
internal sealed class EventStream
{
    private readonly HttpContext _context;

    private EventStream(HttpContext context) => _context = context;

    /// <summary>How long a stream may be silent before a comment goes out.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(15);

    /// <summary>Sends the headers and starts the stream. After this, errors travel as events.</summary>
    public static async Task<EventStream> StartAsync(HttpContext context, CancellationToken cancellation)
    {
        HttpResponse response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        // Proxies that buffer would hold back every token until the end.
        response.Headers["x-accel-buffering"] = "no";
        await response.StartAsync(cancellation);
        return new EventStream(context);
    }

    /// <summary>Sends one event. The JSON must be on one line.</summary>
    public Task SendAsync(ReadOnlySpan<byte> json, CancellationToken cancellation) =>
        WriteAsync([.. "data: "u8, .. json, .. "\n\n"u8], cancellation);

    /// <summary>Sends the closing event.</summary>
    public Task DoneAsync(CancellationToken cancellation) => WriteAsync("data: [DONE]\n\n"u8.ToArray(), cancellation);

    /// <summary>Sends a comment, which clients skip.</summary>
    public Task PingAsync(CancellationToken cancellation) => WriteAsync(": ping\n\n"u8.ToArray(), cancellation);

    /// <summary>Sends an error in the envelope; clients raise it as they do an error reply.</summary>
    public Task FailAsync(ApiError error, CancellationToken cancellation) => SendAsync(error.ToUtf8(), cancellation);

    private async Task WriteAsync(byte[] bytes, CancellationToken cancellation)
    {
        await _context.Response.Body.WriteAsync(bytes, cancellation);
        await _context.Response.Body.FlushAsync(cancellation);
    }
}
