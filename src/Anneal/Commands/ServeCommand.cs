using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Anneal.Cli.Terminal;
using Anneal.Server;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal serve</c>: the server, until it is told to stop.</summary>
internal static class ServeCommand
{
    private const int PortMax = 65_535;

    private static readonly Option<int> Port = PortOption();
    private static readonly Option<string> Bind = new("--bind")
    {
        Description = "IP address to listen on. Other machines can only connect when it is not 127.0.0.1.",
        DefaultValueFactory = _ => "127.0.0.1",
        HelpName = "ADDRESS",
    };

    private static readonly Option<string[]> Models = new("--models")
    {
        Description = "A model folder, or a folder of model folders; may be given several times.",
        HelpName = "DIR",
    };

    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Log more to standard error." };

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        Option<string?> data = DataOption("Folder of the database, the files and the first key; default ~/.anneal.");
        Option<bool> json = Verb.Json();
        return Verb.Of("serve", "Start the server.", shell, async (parsed, cancellation) =>
        {
            var options = new ServerOptions
            {
                DataFolder = DataFolder(shell, parsed.GetValue(data)),
                Port = parsed.GetValue(Port),
                BindAddress = Address(parsed.GetRequiredValue(Bind)),
                ModelFolders = parsed.GetValue(Models) ?? [],
                LogLevel = parsed.GetValue(Verbose) ? LogLevel.Information : LogLevel.Warning,
                Time = shell.Time,
            };
            await using WebApplication server = await StartAsync(options, cancellation);
            Announce(shell, server, options, parsed.GetValue(json));
            await Ended(cancellation);
            await server.StopAsync(CancellationToken.None);
            return Root.Done;
        }, data, Port, Bind, Models, Verbose, json);
    }

    /// <summary><c>--data</c>.</summary>
    public static Option<string?> DataOption(string description) => new("--data") { Description = description, HelpName = "DIR" };

    /// <summary>The data folder as a full path.</summary>
    public static string DataFolder(Shell shell, string? given) => Path.GetFullPath(
        given ?? Path.Combine(shell.Variable("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".anneal"));

    /// <summary>Starts a server; it answers when this returns.</summary>
    /// <exception cref="IOException">The port is in use.</exception>
    public static async Task<WebApplication> StartAsync(ServerOptions options, CancellationToken cancellation)
    {
        WebApplication server = AnnealServer.Build(options);
        try
        {
            await server.StartAsync(cancellation);
            return server;
        }
        catch (IOException fault) when (fault.InnerException is AddressInUseException)
        {
            await server.DisposeAsync();
            throw new IOException(string.Create(
                CultureInfo.InvariantCulture,
                $"Port {options.Port} of {options.BindAddress} is in use. Name another with --port, or --port 0 for a free one."), fault);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the verb is to end.</summary>
    public static async Task Ended(CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = cancellation.Register(ended.SetResult);
        await ended.Task;
    }

    private static void Announce(Shell shell, WebApplication server, ServerOptions options, bool json)
    {
        string url = AnnealServer.Url(server);
        ApiKeys keys = server.Services.GetRequiredService<ApiKeys>();
        if (json)
        {
            shell.Out.WriteLine(new JsonObject { ["url"] = url, ["api_key"] = keys.CreatedKey }.ToJsonString());
            return;
        }

        shell.Out.WriteLine($"Anneal listens on {url}");
        if (keys.CreatedKey is string key)
        {
            shell.Out.WriteLine($"API key: {key}");
            shell.Out.WriteLine($"It is shown this once; {keys.FirstKeyPath} keeps it too.");
        }

        shell.Out.WriteLine();
        shell.Out.WriteLine($"  export OPENAI_BASE_URL={url}/v1");
        shell.Out.WriteLine($"  export OPENAI_API_KEY=$(cat {keys.FirstKeyPath})");
        shell.Out.WriteLine();
        shell.Out.WriteLine($"Data: {options.DataFolder}. Ctrl-C ends it; jobs go on at the next start.");
    }

    private static string Address(string text) => IPAddress.TryParse(text, out _)
        ? text
        : throw new UsageException($"--bind wants an IP address such as 127.0.0.1 or 0.0.0.0, not '{text}'.");

    private static Option<int> PortOption()
    {
        var option = new Option<int>("--port")
        {
            Description = "TCP port; 0 for a free one. Default 8642.",
            DefaultValueFactory = _ => 8642,
            HelpName = "N",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value is < 0 or > PortMax)
            {
                result.AddError($"--port is {value}; 0 to {PortMax} is possible.");
            }
        });
        return option;
    }
}
