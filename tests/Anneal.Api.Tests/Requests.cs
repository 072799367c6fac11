using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Anneal.Api.Tests;

/// <summary>Short ways to talk HTTP in tests; every answer is JSON.</summary>
internal static class Requests
{
    public static async Task<JsonElement> GetJsonAsync(this TestServer server, string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage response = await server.Http.GetAsync(path);
        return await response.ReadAsync(expected);
    }

    public static async Task<JsonElement> DeleteJsonAsync(this TestServer server, string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage response = await server.Http.DeleteAsync(path);
        return await response.ReadAsync(expected);
    }

    public static Task<JsonElement> PostJsonAsync(
        this TestServer server, string path, JsonNode body, HttpStatusCode expected = HttpStatusCode.OK) =>
        server.PostTextAsync(path, body.ToJsonString(), expected);

    public static async Task<JsonElement> PostTextAsync(
        this TestServer server, string path, string body, HttpStatusCode expected = HttpStatusCode.OK, string type = "application/json")
    {
        using StringContent content = new(body, Encoding.UTF8, type);
        using HttpResponseMessage response = await server.Http.PostAsync(path, content);
        return await response.ReadAsync(expected);
    }

    public static async Task<JsonElement> UploadAsync(
        this TestServer server, byte[] bytes, string purpose = "fine-tune", string fileName = "train.jsonl",
        HttpStatusCode expected = HttpStatusCode.OK, params (string Name, string Value)[] fields)
    {
        using MultipartFormDataContent form = new();
        form.Add(new StringContent(purpose), "purpose");
        form.Add(new ByteArrayContent(bytes), "file", fileName);
        foreach ((string name, string value) in fields)
        {
            form.Add(new StringContent(value), name);
        }
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/files", form);
        return await response.ReadAsync(expected);
    }

    /// <summary>Uploads a good training file and returns its id.</summary>
    public static async Task<string> UploadTrainingFileAsync(this TestServer server, int examples = 12) =>
        (await server.UploadAsync(TrainingFile(examples))).GetProperty("id").GetString()!;

    /// <summary>A valid supervised training file.</summary>
    public static byte[] TrainingFile(int examples = 12)
    {
        StringBuilder lines = new();
        for (int i = 0; i < examples; i++)
        {
            lines.Append($$"""{"messages":[{"role":"user","content":"What is {{i}} plus 1?"},{"role":"assistant","content":"{{i + 1}}"}]}""");
            lines.Append('\n');
        }
        return Encoding.UTF8.GetBytes(lines.ToString());
    }

    public static async Task<JsonElement> ReadAsync(this HttpResponseMessage response, HttpStatusCode expected)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode} instead of {(int)expected}: {text}");
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>The error's four members.</summary>
    public static (string Message, string Type, string? Param, string? Code) Error(this JsonElement answer)
    {
        JsonElement error = answer.GetProperty("error");
        return (error.GetProperty("message").GetString()!, error.GetProperty("type").GetString()!,
            error.GetProperty("param").GetString(), error.GetProperty("code").GetString());
    }

    public static string Text(this JsonElement value, string name) => value.GetProperty(name).GetString()!;

    public static string[] Ids(this JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(item => item.Text("id"))];
}
