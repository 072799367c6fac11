using Anneal.Server.Runs;
using Microsoft.Extensions.Logging;

namespace Anneal.Server;

/// <summary>Everything an operator can set. Defaults are those of a laptop: this machine only, no other setting needed.</summary>
public sealed record ServerOptions
{
    /// <summary>The folder that holds the database, the blobs and the first API key. Created when it does not exist.</summary>
    public required string DataFolder { get; init; }

    /// <summary>TCP port; 0 takes a free one, which <see cref="AnnealServer.Url"/> tells once the server has started.</summary>
    public int Port { get; init; } = 8642;

    /// <summary>IP address to listen on. The default accepts connections of this machine only.</summary>
    public string BindAddress { get; init; } = "127.0.0.1";

    /// <summary>
    /// Base models besides the bundled one. Each entry is a model folder in Hugging Face layout (it holds a
    /// <c>config.json</c>) or a folder of such folders; a model's public id is its folder's name.
    /// </summary>
    public IReadOnlyList<string> ModelFolders { get; init; } = [];

    /// <summary>False leaves out the bundled model.</summary>
    public bool BundledModel { get; init; } = true;

    /// <summary>
    /// The command that starts a worker on this machine, program first; the run's arguments are appended.
    /// Null starts this process's own executable with the verb <c>worker</c>.
    /// </summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }

    /// <summary>
    /// False leaves the jobs alone: their files are not checked and no workers are started or watched. For a server that only
    /// answers requests.
    /// </summary>
    public bool LaunchWorkers { get; init; } = true;

    /// <summary>Times and sizes of running jobs.</summary>
    public RunOptions Runs { get; init; } = new();

    /// <summary>Log entries below this level are dropped. Logs go to standard error, never to standard output.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>The clock of every time stamp, lease and timer.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
