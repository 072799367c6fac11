using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Headers;
using Anneal.Api.Tests.Schema;
using Anneal.Jobs;
using Anneal.Server;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenAI;

namespace Anneal.Api.Tests;

/// <summary>A real server in this process: Kestrel on a free port, SQLite and blobs in a temporary folder, a tiny base model.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly bool _ownsFolder;

    private TestServer(WebApplication app, string dataFolder, bool ownsFolder)
    {
        App = app;
        DataFolder = dataFolder;
        _ownsFolder = ownsFolder;
        Url = AnnealServer.Url(app);
        CreatedKey = app.Services.GetRequiredService<ApiKeys>().CreatedKey;
        Key = CreatedKey ?? File.ReadAllText(Path.Combine(dataFolder, "api-key")).Trim();
        Http = Client(new WireCheck());
        Raw = Client(new SocketsHttpHandler());
    }

    /// <summary>The id of the tiny base model.</summary>
    public const string BaseModel = "tiny-llama";

    public WebApplication App { get; }

    public string DataFolder { get; }

    public string Url { get; }

    /// <summary>A working key.</summary>
    public string Key { get; }

    /// <summary>The key that this start made; null when the folder had one.</summary>
    public string? CreatedKey { get; }

    /// <summary>Sends the key; checks every answer against the OpenAPI document.</summary>
    public HttpClient Http { get; }

    /// <summary>Sends the key; checks nothing and buffers nothing.</summary>
    public HttpClient Raw { get; }

    public JobStore Store => App.Services.GetRequiredService<JobStore>();

    /// <summary>Starts a server; in <paramref name="dataFolder"/> when one is given, which is then left in place at the end.</summary>
    public static async Task<TestServer> StartAsync(
        string? dataFolder = null,
        Func<ServerOptions, ServerOptions>? change = null,
        Action<IServiceCollection>? replace = null)
    {
        string folder = dataFolder ?? Directory.CreateTempSubdirectory("anneal-api-").FullName;
        ServerOptions options = new()
        {
            DataFolder = folder,
            Port = 0,
            BundledModel = false,
            LaunchWorkers = false,
            ModelFolders = [Fixture("models", BaseModel)],
        };
        WebApplication app = AnnealServer.Build(change is null ? options : change(options), replace);
        await app.StartAsync();
        return new TestServer(app, folder, ownsFolder: dataFolder is null);
    }

    /// <summary>The official client, its traffic checked like every other.</summary>
    public OpenAIClient Sdk(string? key = null) => new(
        new ApiKeyCredential(key ?? Key),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(Url + "/v1"),
            Transport = new HttpClientPipelineTransport(key is null ? Http : Client(new WireCheck(), key)),
        });

    /// <summary>A client that sends this key, or none.</summary>
    public HttpClient Client(HttpMessageHandler handler, string? key = null, bool sendKey = true)
    {
        HttpClient client = new(handler) { BaseAddress = new Uri(Url), Timeout = TimeSpan.FromMinutes(2) };
        if (sendKey)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key ?? Key);
        }
        return client;
    }

    /// <summary>A file of the test project's fixtures.</summary>
    public static string Fixture(params string[] parts) =>
        Path.Combine([AppContext.BaseDirectory, "Fixtures", .. parts]);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Raw.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
        if (_ownsFolder)
        {
            Directory.Delete(DataFolder, recursive: true);
        }
    }
}
