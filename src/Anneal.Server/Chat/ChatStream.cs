using System.Text.Json.Nodes;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Anneal.Server.Chat;

/// <summary>
/// A completion as a stream of chunks. It starts with the first piece, so that whatever is wrong before it has a status of its
/// own; what fails later becomes an error event.
/// </summary>
internal sealed partial class ChatStream(
    ChatRequest request, ChatWire wire, ChatAnswers answers, int promptTokens, TimeProvider time, ILogger<ChatStream> logger) : IResult
{
    private readonly List<TokenChance>[] _held = [.. Enumerable.Range(0, request.Count).Select(_ => new List<TokenChance>())];
    private int _completionTokens;

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        CancellationToken cancellation = httpContext.RequestAborted;
        await using IAsyncEnumerator<(int Index, ChatPiece Piece)> pieces =
            answers.RunAsync(cancellation).GetAsyncEnumerator(cancellation);
        bool more = await pieces.MoveNextAsync();
        EventStream stream = await EventStream.StartAsync(httpContext, cancellation);
        for (int index = 0; index < request.Count; index++)
        {
            await SendAsync(stream, wire.FirstChunk(index), cancellation);
        }
        try
        {
            while (more)
            {
                await SendPieceAsync(stream, pieces.Current.Index, pieces.Current.Piece, cancellation);
                more = await NextAsync(stream, pieces, cancellation);
            }
            if (request.IncludeUsage)
            {
                await SendAsync(stream, wire.UsageChunk(promptTokens, _completionTokens), cancellation);
            }
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            if (failure is not ApiException)
            {
                Log.BrokeOff(logger, failure, request.Model, httpContext.TraceIdentifier);
            }
            await stream.FailAsync(ErrorOf(failure), cancellation);
        }
        await stream.DoneAsync(cancellation);
    }

    private async Task SendPieceAsync(EventStream stream, int index, ChatPiece piece, CancellationToken cancellation)
    {
        _completionTokens += piece.Tokens;
        if (piece.Chance is not null)
        {
            // Kept until the text that the token belongs to is certain.
            _held[index].Add(piece.Chance);
        }
        if (piece.Text.Length > 0)
        {
            await SendAsync(stream, wire.TextChunk(index, piece.Text, _held[index]), cancellation);
            _held[index].Clear();
        }
        if (piece.Finish is not null)
        {
            await SendAsync(stream, wire.LastChunk(index, piece.Finish), cancellation);
        }
    }

    /// <summary>Waits for the next piece, with a comment now and then so that nobody takes the connection for dead.</summary>
    private async Task<bool> NextAsync(
        EventStream stream, IAsyncEnumerator<(int, ChatPiece)> pieces, CancellationToken cancellation)
    {
        Task<bool> next = pieces.MoveNextAsync().AsTask();
        while (!next.IsCompleted && await Task.WhenAny(next, Task.Delay(EventStream.SilenceMax, time, cancellation)) != next)
        {
            await stream.PingAsync(cancellation);
        }
        return await next;
    }

    private static Task SendAsync(EventStream stream, JsonObject chunk, CancellationToken cancellation) =>
        stream.SendAsync(ApiJson.Write(chunk), cancellation);

    private static ApiError ErrorOf(Exception failure) => failure is ApiException known
        ? known.Error
        : new ApiError(
            StatusCodes.Status500InternalServerError,
            "The server had an error while generating. What was sent so far is not the whole answer.",
            Type: ApiError.ServerError);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Generation with {Model} broke off ({RequestId})")]
        public static partial void BrokeOff(ILogger logger, Exception exception, string model, string requestId);
    }
}
