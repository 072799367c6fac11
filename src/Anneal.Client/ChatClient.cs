using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Anneal.Client;

/// <summary>Answers from models.</summary>
public sealed class ChatClient
{
    private readonly Transport _transport;

    internal ChatClient(Transport transport) => _transport = transport;

    /// <summary>The whole answer at once.</summary>
    /// <param name="request">The conversation.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<ChatCompletion> CompleteAsync(ChatRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _transport.SendAsync(
            HttpMethod.Post, "chat/completions",
            () => JsonContent.Create(ChatRequestBody.Of(request, stream: false), ClientJson.Default.ChatRequestBody),
            ClientJson.Default.ChatCompletion, cancellation);
    }

    /// <summary>The answer in pieces as it is generated; the last piece carries the usage.</summary>
    /// <param name="request">The conversation.</param>
    /// <param name="cancellation">Gives up; the service stops generating.</param>
    /// <exception cref="ApiException">The service refused, or failed in the middle: then its status is 0.</exception>
    public async IAsyncEnumerable<ChatChunk> StreamAsync(
        ChatRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        using HttpResponseMessage response = await _transport.SendAsync(
            HttpMethod.Post, "chat/completions",
            () => JsonContent.Create(ChatRequestBody.Of(request, stream: true), ClientJson.Default.ChatRequestBody),
            cancellation).ConfigureAwait(false);
        Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            IAsyncEnumerator<SseItem<string>> items = SseParser.Create(body).EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
            await using (items.ConfigureAwait(false))
            {
                while (await NextAsync(items).ConfigureAwait(false) is string data)
                {
                    yield return Parse(data);
                }
            }
        }
    }

    // The next piece, or null after the end mark. An end without the mark is a broken connection, not a short answer.
    private static async Task<string?> NextAsync(IAsyncEnumerator<SseItem<string>> items)
    {
        try
        {
            if (await items.MoveNextAsync().ConfigureAwait(false))
            {
                return items.Current.Data == "[DONE]" ? null : items.Current.Data;
            }
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            throw new ConnectionException("The stream broke off before its end.", fault);
        }

        throw new ConnectionException("The stream ended without [DONE].", null);
    }

    private static ChatChunk Parse(string data)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(data);
            if (document.RootElement.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object)
            {
                throw new ApiException(default(HttpStatusCode), error.Deserialize(ClientJson.Default.ApiErrorDetail)!, null);
            }

            return document.Deserialize(ClientJson.Default.ChatChunk) ?? throw new JsonException("It is null.");
        }
        catch (JsonException fault)
        {
            throw new ConnectionException($"A piece of the stream is not what the API says: {fault.Message}", fault);
        }
    }
}
