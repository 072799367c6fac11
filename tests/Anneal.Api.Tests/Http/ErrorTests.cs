using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Anneal.Api.Tests.Http;

/// <summary>Errors that belong to no endpoint. The wire check sees to envelope and headers of each.</summary>
public sealed class ErrorTests
{
    [Fact]
    public async Task An_unknown_url_is_404_and_names_method_and_path()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.PostJsonAsync("/v1/x", new JsonObject(), HttpStatusCode.NotFound);
        Assert.Equal(("Invalid URL (POST /v1/x)", "invalid_request_error", null, "unknown_url"), answer.Error());
    }

    [Fact]
    public async Task A_wrong_method_is_405_and_says_which_are_right()
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage response = await server.Http.PutAsync("/v1/files", null);
        JsonElement answer = await response.ReadAsync(HttpStatusCode.MethodNotAllowed);
        Assert.Equal("method_not_supported", answer.Error().Code);
        Assert.Contains("GET, POST", answer.Error().Message, StringComparison.Ordinal);
        Assert.Equal(["GET", "POST"], response.Content.Headers.Allow.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task A_body_of_another_content_type_is_415(string type)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.PostTextAsync("/v1/fine_tuning/jobs", "{}", HttpStatusCode.UnsupportedMediaType, type);
        Assert.Equal("unsupported_content_type", answer.Error().Code);
        Assert.Contains("application/json", answer.Error().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_that_is_not_multipart_is_415()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.PostTextAsync("/v1/files", "{}", HttpStatusCode.UnsupportedMediaType);
        Assert.Contains("multipart/form-data", answer.Error().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("{\"model\": ", "line 1, byte")]
    [InlineData("{}x", "line 1, byte 3")]
    public async Task A_body_that_is_not_json_is_400_and_says_where(string body, string where)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.PostTextAsync("/v1/fine_tuning/jobs", body, HttpStatusCode.BadRequest);
        Assert.StartsWith("We could not parse the JSON body of your request", answer.Error().Message, StringComparison.Ordinal);
        Assert.Contains(where, answer.Error().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_not_an_object_or_nests_too_deep_is_400()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement array = await server.PostTextAsync("/v1/fine_tuning/jobs", "[]", HttpStatusCode.BadRequest);
        Assert.Equal("invalid_type", array.Error().Code);
        string deep = new string('[', 5000) + new string(']', 5000);
        await server.PostTextAsync("/v1/fine_tuning/jobs", $"{{\"model\":{deep}}}", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Invalid_utf8_and_half_surrogates_are_400()
    {
        await using TestServer server = await TestServer.StartAsync();
        using ByteArrayContent content = new([(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        content.Headers.ContentType = new("application/json");
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/fine_tuning/jobs", content);
        JsonElement answer = await response.ReadAsync(HttpStatusCode.BadRequest);
        Assert.Contains("UTF-8", answer.Error().Message, StringComparison.Ordinal);
        answer = await server.PostTextAsync(
            "/v1/fine_tuning/jobs", """{"model":"\ud800","training_file":"file-x"}""", HttpStatusCode.BadRequest);
        Assert.Equal(("model", "invalid_value"), (answer.Error().Param, answer.Error().Code));
    }

    [Fact]
    public async Task A_json_body_over_the_limit_is_413_and_names_the_limit()
    {
        await using TestServer server = await TestServer.StartAsync();
        string body = $"{{\"model\":\"{new string('x', 17 * 1024 * 1024)}\"}}";
        JsonElement answer = await server.PostTextAsync("/v1/fine_tuning/jobs", body, HttpStatusCode.RequestEntityTooLarge);
        Assert.Contains("16777216", answer.Error().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_stops_the_start()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        IOException exception = await Assert.ThrowsAsync<IOException>(
            () => TestServer.StartAsync(change: options => options with { Port = port }));
        Assert.Contains(port.ToString(System.Globalization.CultureInfo.InvariantCulture), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_ids_differ_and_a_proxy_cannot_be_confused_by_headers_of_the_client()
    {
        await using TestServer server = await TestServer.StartAsync();
        HashSet<string> ids = [];
        for (int i = 0; i < 5; i++)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/v1/models");
            request.Headers.Add("x-request-id", "mine");
            request.Headers.Add("OpenAI-Beta", "assistants=v2");
            request.Headers.Add("OpenAI-Organization", "org-of-somebody");
            using HttpResponseMessage response = await server.Http.SendAsync(request);
            ids.Add(response.Headers.GetValues("x-request-id").Single());
        }
        Assert.Equal(5, ids.Count);
        Assert.DoesNotContain("mine", ids);
    }
}
