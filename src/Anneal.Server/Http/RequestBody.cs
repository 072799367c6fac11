using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Anneal.Server.Http;

/// <summary>Reads JSON bodies. What is wrong with one is thrown as an <see cref="ApiException"/>, because no handler can go on.</summary>
internal static class RequestBody
{
    /// <summary>The body as a JSON object, and its bytes' hash for idempotency keys.</summary>
    /// <exception cref="ApiException">Wrong content type, not JSON, or not an object.</exception>
    public static async Task<JsonBody> ReadObjectAsync(HttpContext context, CancellationToken cancellation)
    {
        RequireJson(context.Request);
        byte[] utf8 = await ReadAllAsync(context.Request.Body, cancellation);
        ReadOnlyMemory<byte> json = utf8.AsSpan().StartsWith("\uFEFF"u8) ? utf8.AsMemory(3) : utf8;
        if (!Utf8.IsValid(json.Span))
        {
            throw new ApiException(NotJson("it is not valid UTF-8"));
        }
        JsonDocument document = Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            string kind = RequestFields.KindOf(document.RootElement);
            document.Dispose();
            throw new ApiException(ApiError.Bad(
                $"Invalid type for the request body: expected an object, but got {kind} instead.", code: "invalid_type"));
        }
        return new JsonBody(document, utf8);
    }

    private static async Task<byte[]> ReadAllAsync(Stream body, CancellationToken cancellation)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellation)) > 0)
        {
            all.Write(buffer.AsSpan(0, read));
            if (all.Length > RequestLimits.JsonBodyBytesMax)
            {
                throw new ApiException(RequestLimits.TooLarge("The request body", RequestLimits.JsonBodyBytesMax));
            }
        }
        return all.ToArray();
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException exception)
        {
            throw new ApiException(NotJson(json.IsEmpty
                ? "it is empty"
                : $"line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}"));
        }
    }

    private static ApiError NotJson(string why) => ApiError.Bad(
        $"We could not parse the JSON body of your request ({why}). (HINT: This likely means you aren't using your HTTP library "
        + "correctly. The API expects a JSON payload, but what was sent was not valid JSON.)");

    /// <summary>A missing content type is taken for JSON; any other type is 415.</summary>
    private static void RequireJson(HttpRequest request)
    {
        string? given = request.ContentType;
        if (string.IsNullOrEmpty(given))
        {
            return;
        }
        bool json = MediaTypeHeaderValue.TryParse(given, out MediaTypeHeaderValue? type)
            && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase));
        if (!json)
        {
            throw new ApiException(UnsupportedType(given, "application/json"));
        }
    }

    /// <summary>415 that names the type that would be right.</summary>
    public static ApiError UnsupportedType(string? given, string accepted) => new(
        StatusCodes.Status415UnsupportedMediaType,
        $"Unsupported content type: '{given}'. This API method only accepts '{accepted}' requests. "
        + "Please try again with a supported content type.",
        Code: "unsupported_content_type");
}

/// <summary>A parsed JSON body. Dispose it when the request is answered.</summary>
/// <param name="Document">The root is an object.</param>
/// <param name="Utf8">The bytes as they came.</param>
internal sealed record JsonBody(JsonDocument Document, byte[] Utf8) : IDisposable
{
    /// <summary>The root's members, for validation.</summary>
    public RequestFields Fields(ApiFaults faults) => new(Document.RootElement, "", faults);

    /// <inheritdoc/>
    public void Dispose() => Document.Dispose();
}
