using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Anneal.Server.Files;
using Anneal.Server.Jobs;
using Anneal.Server.Models;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Http;

/// <summary>
/// Every type that leaves on the public wire: snake_case, nulls written, no reflection. Requests are not here: they are read
/// field by field (<see cref="RequestFields"/>), so that each fault can be named.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(FileWire))]
[JsonSerializable(typeof(ListWire<FileWire>))]
[JsonSerializable(typeof(DeletionWire))]
[JsonSerializable(typeof(JobWire))]
[JsonSerializable(typeof(PlainListWire<JobWire>))]
[JsonSerializable(typeof(EventWire))]
[JsonSerializable(typeof(PlainListWire<EventWire>))]
[JsonSerializable(typeof(CheckpointWire))]
[JsonSerializable(typeof(ListWire<CheckpointWire>))]
[JsonSerializable(typeof(ModelWire))]
[JsonSerializable(typeof(ModelListWire))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>The content type of every JSON answer.</summary>
    public const string ContentType = "application/json; charset=utf-8";

    /// <summary>
    /// Text is written as it is instead of as \u escapes: answers are never embedded in HTML, and every JSON reader reads UTF-8.
    /// </summary>
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The value as UTF-8 JSON.</summary>
    public static byte[] Write<T>(T value, JsonTypeInfo<T> type)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, WriterOptions))
        {
            JsonSerializer.Serialize(writer, value, type);
        }
        return stream.ToArray();
    }

    /// <summary>The node as UTF-8 JSON.</summary>
    public static byte[] Write(JsonNode node)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, WriterOptions))
        {
            node.WriteTo(writer);
        }
        return stream.ToArray();
    }

    /// <summary>200 with the node as JSON.</summary>
    public static IResult Ok(JsonNode node) => new JsonAnswer(Write(node));

    /// <summary>200 with the value as JSON.</summary>
    public static IResult Ok<T>(T value, JsonTypeInfo<T> type) => new JsonAnswer(Write(value, type));

    private sealed class JsonAnswer(byte[] body) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = ContentType;
            httpContext.Response.ContentLength = body.Length;
            return httpContext.Response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
        }
    }
}
