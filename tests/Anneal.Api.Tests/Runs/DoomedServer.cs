using Anneal.Server;
using Anneal.Server.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace Anneal.Api.Tests.Runs;

/// <summary>The server process that <see cref="ServerKillTests"/> kills.</summary>
internal static class DoomedServer
{
    public static async Task<int> RunAsync(string dataFolder, int port)
    {
        await using WebApplication app = AnnealServer.Build(Options(dataFolder, port));
        await app.StartAsync();
        Console.WriteLine(AnnealServer.Url(app));
        await app.WaitForShutdownAsync();
        return 0;
    }

    /// <summary>Workers are this same program; states are saved often, so that kills meet them.</summary>
    public static ServerOptions Options(string dataFolder, int port) => new()
    {
        DataFolder = dataFolder,
        Port = port,
        BundledModel = false,
        ModelFolders = [TestServer.Fixture("models", TestServer.BaseModel)],
        WorkerCommand = ["dotnet", typeof(DoomedServer).Assembly.Location, "worker"],
        Runs = new RunOptions
        {
            Heartbeat = TimeSpan.FromMilliseconds(250),
            StateInterval = TimeSpan.FromMilliseconds(200),
            Lease = TimeSpan.FromSeconds(10),
            GiveUp = TimeSpan.FromSeconds(30),
        },
    };
}
