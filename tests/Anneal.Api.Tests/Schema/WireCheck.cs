using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Anneal.Api.Tests.Schema;

/// <summary>
/// Stands between every test's client and the server, the official client's included, and holds every answer against the OpenAPI
/// document: body, content type, headers, error envelope, stream format. A deviation fails the request.
/// </summary>
internal sealed class WireCheck() : DelegatingHandler(new SocketsHttpHandler())
{
    private static readonly string[] ErrorMembers = ["message", "type", "param", "code"];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        List<string> faults = [];
        CheckHeaders(response, faults);
        if ((int)response.StatusCode >= 400)
        {
            CheckError(response, body, faults);
        }
        else
        {
            CheckSuccess(request, response, body, faults);
        }
        if (faults.Count > 0)
        {
            throw new InvalidOperationException(
                $"{request.Method} {request.RequestUri!.PathAndQuery} → {(int)response.StatusCode}: {string.Join("; ", faults)}\n"
                + System.Text.Encoding.UTF8.GetString(body[..Math.Min(body.Length, 4000)]));
        }
        return response;
    }

    private static void CheckHeaders(HttpResponseMessage response, List<string> faults)
    {
        string One(string name) => response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.Single() : "";
        if (!One("x-request-id").StartsWith("req_", StringComparison.Ordinal))
        {
            faults.Add("x-request-id is missing");
        }
        if (!long.TryParse(One("openai-processing-ms"), NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            faults.Add("openai-processing-ms is missing");
        }
        if (One("openai-version") != "2020-10-01")
        {
            faults.Add("openai-version is missing");
        }
        if (!One("openai-organization").StartsWith("org-", StringComparison.Ordinal))
        {
            faults.Add("openai-organization is missing");
        }
        if (response.StatusCode is HttpStatusCode.Conflict or >= HttpStatusCode.InternalServerError && One("x-should-retry").Length == 0)
        {
            faults.Add("x-should-retry is missing");
        }
    }

    private static void CheckError(HttpResponseMessage response, byte[] body, List<string> faults)
    {
        ExpectJson(response, faults);
        JsonElement value = Parse(body);
        faults.AddRange(ApiDocument.Instance.Check("ErrorResponse", value));
        JsonElement error = value.GetProperty("error");
        faults.AddRange(ErrorMembers.Where(name => !error.TryGetProperty(name, out _)).Select(name => $"error.{name} is missing"));
    }

    private static void CheckSuccess(HttpRequestMessage request, HttpResponseMessage response, byte[] body, List<string> faults)
    {
        string path = request.RequestUri!.AbsolutePath;
        string? template = ApiDocument.Instance.TemplateOf(path);
        if (template is null || template == "/files/{file_id}/content")
        {
            return;
        }
        if (response.StatusCode != HttpStatusCode.OK)
        {
            faults.Add("a success must be 200");
        }
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            CheckStream(request.Method.Method, template, body, faults);
            return;
        }
        ExpectJson(response, faults);
        faults.AddRange(ApiDocument.Instance.CheckAnswer(request.Method.Method, template, "application/json", Parse(body)));
    }

    private static void CheckStream(string method, string template, byte[] body, List<string> faults)
    {
        string[] events = System.Text.Encoding.UTF8.GetString(body).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        foreach (string item in events.Where(e => !e.StartsWith(": ", StringComparison.Ordinal)))
        {
            if (!item.StartsWith("data: ", StringComparison.Ordinal) || item.Contains('\n'))
            {
                faults.Add($"'{item}' is not one data line");
            }
            else if (item is not "data: [DONE]")
            {
                JsonElement value = Parse(System.Text.Encoding.UTF8.GetBytes(item["data: ".Length..]));
                faults.AddRange(value.TryGetProperty("error", out _)
                    ? ApiDocument.Instance.Check("ErrorResponse", value)
                    : template.EndsWith("/events", StringComparison.Ordinal)
                        ? ApiDocument.Instance.Check("FineTuningJobEvent", value)
                        : ApiDocument.Instance.CheckAnswer(method, template, "text/event-stream", value));
            }
        }
        if (events.Length == 0 || events[^1] is not "data: [DONE]")
        {
            faults.Add("the stream does not end with [DONE]");
        }
    }

    private static void ExpectJson(HttpResponseMessage response, List<string> faults)
    {
        if (response.Content.Headers.ContentType?.ToString() != "application/json; charset=utf-8")
        {
            faults.Add($"content type is {response.Content.Headers.ContentType}");
        }
    }

    private static JsonElement Parse(byte[] body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        return document.RootElement.Clone();
    }
}
