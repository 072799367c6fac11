using System.Reflection;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Anneal.Jobs.Launch;
using Anneal.Jobs.Supervision;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Anneal.Server.Runs;

/// <summary>Everything that makes jobs run.</summary>
internal static class RunServices
{
    /// <summary>Adds the services; those that move jobs only with <see cref="ServerOptions.LaunchWorkers"/>.</summary>
    public static void AddRuns(this IServiceCollection services, ServerOptions options)
    {
        ScratchFolders scratch = new(Path.Combine(options.DataFolder, "scratch"));
        services.AddSingleton(options.Runs);
        services.AddSingleton(scratch);
        services.AddSingleton(s => new Retention(
            s.GetRequiredService<JobStore>(), s.GetRequiredService<IBlobStore>(), options.Time));
        services.AddHostedService<RetentionService>();
        if (!options.LaunchWorkers)
        {
            return;
        }
        services.AddSingleton(s => new FileCheck(
            s.GetRequiredService<JobStore>(), s.GetRequiredService<IBlobStore>()));
        services.AddHostedService<FileCheckService>();
        services.AddSingleton(s => new Rescuer(s.GetRequiredService<JobStore>()));
        services.AddSingleton<ILauncher>(s => new LocalProcessLauncher(
            new LocalProcessOptions
            {
                Command = options.WorkerCommand ?? OwnCommand(),
                ServerUrl = () => LocalUrl(s.GetRequiredService<IServer>()),
                LogFolder = Path.Combine(options.DataFolder, "logs"),
                Environment = new Dictionary<string, string> { [WorkerMain.ScratchVariable] = scratch.Root },
            },
            options.Time));
        services.AddSingleton(s => new Scheduler(
            s.GetRequiredService<JobStore>(), s.GetRequiredService<ILauncher>(), options.Time,
            new SchedulerOptions { RunsMax = options.Runs.RunsMax, Lease = options.Runs.Lease }));
        services.AddHostedService<RunSupervisor>();
    }

    /// <summary>This process's own executable with the verb <c>worker</c>.</summary>
    private static string[] OwnCommand()
    {
        string program = Environment.ProcessPath
            ?? throw new InvalidOperationException("The path of this program is unknown; name the worker's command in the options.");
        string assembly = Path.Combine(AppContext.BaseDirectory, Assembly.GetEntryAssembly()?.GetName().Name + ".dll");
        bool hosted = Path.GetFileNameWithoutExtension(program) == "dotnet" && File.Exists(assembly);
        return hosted ? [program, assembly, "worker"] : [program, "worker"];
    }

    /// <summary>Where a worker on this machine reaches the server.</summary>
    private static string LocalUrl(IServer server)
    {
        string address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The server does not listen yet.");
        return address
            .Replace("//0.0.0.0:", "//127.0.0.1:", StringComparison.Ordinal)
            .Replace("//[::]:", "//[::1]:", StringComparison.Ordinal);
    }
}
