using System.Net;
using System.Text.Json;
using Anneal.Api.Tests.Schema;
using Anneal.Jobs;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Api.Tests.Http;

public sealed class ApiKeyTests
{
    [Fact]
    public async Task The_first_start_makes_one_key_and_later_starts_keep_it()
    {
        string folder = Directory.CreateTempSubdirectory("anneal-keys-").FullName;
        string key;
        await using (TestServer first = await TestServer.StartAsync(folder))
        {
            key = first.CreatedKey!;
            Assert.StartsWith("sk-anneal-", key, StringComparison.Ordinal);
            await first.GetJsonAsync("/v1/models");
        }
        await using (TestServer second = await TestServer.StartAsync(folder))
        {
            Assert.Null(second.CreatedKey);
            Assert.Equal(key, second.Key);
            await second.GetJsonAsync("/v1/models");
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_key_file_is_readable_by_its_owner_only_and_the_database_does_not_hold_the_key()
    {
        await using TestServer server = await TestServer.StartAsync();
        string path = Path.Combine(server.DataFolder, "api-key");
        Assert.Equal(server.Key, File.ReadAllText(path).Trim());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
        byte[] secret = System.Text.Encoding.ASCII.GetBytes(server.Key);
        foreach (string file in Directory.EnumerateFiles(server.DataFolder, "anneal.db*"))
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOf(secret));
        }
        ApiKey stored = Assert.Single(await server.Store.ListKeysAsync(default));
        Assert.Equal(Ids.HashSecret(server.Key), stored.Hash);
    }

    [Fact]
    public async Task A_crash_between_key_file_and_database_loses_no_key()
    {
        string folder = Directory.CreateTempSubdirectory("anneal-keys-").FullName;
        string left = Ids.Secret("sk-anneal-");
        File.WriteAllText(Path.Combine(folder, "api-key"), left + "\n");
        await using (TestServer server = await TestServer.StartAsync(folder))
        {
            Assert.Equal(left, server.CreatedKey);
            await server.GetJsonAsync("/v1/models");
        }
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("GET", "/v1/files")]
    [InlineData("POST", "/v1/files")]
    [InlineData("POST", "/v1/fine_tuning/jobs")]
    [InlineData("GET", "/v1/models/anneal-nano")]
    [InlineData("POST", "/v1/chat/completions")]
    [InlineData("GET", "/v1/no/such/url")]
    [InlineData("PUT", "/v1/files")]
    public async Task Every_url_needs_a_key(string method, string path)
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpClient none = server.Client(new WireCheck(), sendKey: false);
        using HttpResponseMessage missing = await none.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        JsonElement answer = await missing.ReadAsync(HttpStatusCode.Unauthorized);
        Assert.StartsWith("You didn't provide an API key.", answer.Error().Message, StringComparison.Ordinal);
        Assert.Equal(("invalid_request_error", (string?)null, (string?)null), (answer.Error().Type, answer.Error().Param, answer.Error().Code));

        using HttpClient wrong = server.Client(new WireCheck(), server.Key + "x");
        using HttpResponseMessage refused = await wrong.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        answer = await refused.ReadAsync(HttpStatusCode.Unauthorized);
        Assert.StartsWith("Incorrect API key provided: sk-", answer.Error().Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Key, answer.Error().Message, StringComparison.Ordinal);
        Assert.Equal("invalid_api_key", answer.Error().Code);
    }

    [Fact]
    public async Task No_route_answers_without_a_credential()
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpClient none = server.Client(new WireCheck(), sendKey: false);
        int requests = 0;
        foreach (RouteEndpoint route in server.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            string path = "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(
                part => part is RoutePatternLiteralPart literal ? literal.Content : "1"))));
            foreach (string method in route.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods)
            {
                using HttpResponseMessage response = await none.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
                Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, $"{method} {path} answers {response.StatusCode}.");
                requests++;
            }
        }
        Assert.True(requests >= 18, $"Only {requests} routes were found.");
    }

    [Fact]
    public async Task A_revoked_key_stops_working_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        ApiKey key = Assert.Single(await server.Store.ListKeysAsync(default));
        await server.GetJsonAsync("/v1/models");
        Assert.True(await server.Store.RevokeKeyAsync(key.Id, default));
        await server.GetJsonAsync("/v1/models", HttpStatusCode.Unauthorized);
    }
}
