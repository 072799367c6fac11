using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Anneal.Client;

namespace Anneal.Api.Tests.Cli;

/// <summary><c>anneal serve</c> and <c>anneal keys</c> as real processes.</summary>
public sealed class ServeTests : IDisposable
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    private readonly string _folder = Directory.CreateTempSubdirectory("anneal-serve-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public async Task Serve_says_where_it_is_once_it_answers_and_ends_in_good_order(int signal)
    {
        string data = Path.Combine(_folder, "data");
        await using (CliProcess server = CliProcess.Start("serve", "--data", data, "--port", "0", "--json"))
        {
            JsonNode line = JsonNode.Parse((await server.ReadLineAsync())!)!;
            Assert.Equal(["url", "api_key"], line.AsObject().Select(member => member.Key));
            using AnnealClient client = Client(line["url"]!.GetValue<string>(), line["api_key"]!.GetValue<string>());
            await client.Models.ListAsync().ToListAsync();
            await server.SignalAsync(signal);
            Assert.Equal(new Ran(0, "", ""), await server.EndAsync());
        }

        await using CliProcess again = CliProcess.Start("serve", "--data", data, "--port", "0", "--json");
        Assert.Null(JsonNode.Parse((await again.ReadLineAsync())!)!["api_key"]);
        await again.SignalAsync(signal);
        Assert.Equal(0, (await again.EndAsync()).Code);
    }

    [Fact]
    public async Task Serve_for_people_says_how_to_go_on()
    {
        await using CliProcess server = CliProcess.Start("serve", "--data", _folder, "--port", "0");
        Assert.StartsWith("Anneal listens on http://127.0.0.1:", await server.ReadLineAsync());
        Assert.StartsWith("API key: sk-", await server.ReadLineAsync());
        await server.SignalAsync(Terminate);
        Ran ran = await server.EndAsync();
        Assert.Contains("  export OPENAI_BASE_URL=http://127.0.0.1:", ran.Out);
        Assert.Equal((0, ""), (ran.Code, ran.Error));
    }

    [Fact]
    public async Task A_port_in_use_is_one_clear_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        Ran ran = await CommandLine.RunAsync("serve", "--data", _folder, "--port", $"{port}");
        Assert.Equal(
            new Ran(1, "", $"anneal: Port {port} of 127.0.0.1 is in use. Name another with --port, or --port 0 for a free one.\n"), ran);
    }

    [Fact]
    public async Task A_key_made_beside_a_running_server_works_at_once_and_stops_when_deleted()
    {
        await using TestServer server = await TestServer.StartAsync();
        Ran made = await CommandLine.RunAsync("keys", "create", "laptop", "--data", server.DataFolder, "--json");
        JsonNode key = JsonNode.Parse(made.Out)!;
        using AnnealClient client = Client(server.Url, key["api_key"]!.GetValue<string>());
        await client.Models.ListAsync().ToListAsync();

        string id = key["id"]!.GetValue<string>();
        Ran list = await CommandLine.RunAsync("keys", "list", "--data", server.DataFolder);
        Assert.Contains(list.Lines, line => line.StartsWith(id, StringComparison.Ordinal) && line.EndsWith("works  laptop", StringComparison.Ordinal));
        Assert.DoesNotContain(key["api_key"]!.GetValue<string>(), list.Out);

        Ran deleted = await CommandLine.RunAsync("keys", "delete", id, "--data", server.DataFolder);
        Assert.Equal(0, deleted.Code);
        await Assert.ThrowsAsync<AuthenticationException>(() => client.Models.ListAsync().ToListAsync().AsTask());
        Ran twice = await CommandLine.RunAsync("keys", "delete", id, "--data", server.DataFolder);
        Assert.Equal((1, $"anneal: There is no working key {id}.\n"), (twice.Code, twice.Error));
    }

    [Fact]
    public async Task Ctrl_C_stops_watching_and_the_job_goes_on()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await Jobs.PlayedJobs.CreateJobAsync(server);
        await using CliProcess watch = CliProcess.Start(CommandLine.Variables(server), "jobs", "watch", id);
        Assert.Contains("Created fine-tuning job", await watch.ReadLineAsync());
        await watch.SignalAsync(Interrupt);
        Ran ran = await watch.EndAsync();
        Assert.Equal((1, $"The job goes on. Follow it with: anneal jobs watch {id}\n"), (ran.Code, ran.Error));
    }

    private static AnnealClient Client(string url, string key) =>
        new(new AnnealClientOptions { BaseUrl = new Uri(url + "/v1"), ApiKey = key });
}
