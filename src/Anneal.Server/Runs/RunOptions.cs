namespace Anneal.Server.Runs;

/// <summary>Times and sizes of running jobs.</summary>
public sealed record RunOptions
{
    /// <summary>Workers at once on this machine. One by default: training takes every core it is given.</summary>
    public int RunsMax { get; init; } = 1;

    /// <summary>How long a run lives without a heartbeat.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a worker reports.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a worker saves its state: what a crash may cost in time.</summary>
    public TimeSpan StateInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a worker goes on without a server before it gives up.</summary>
    public TimeSpan GiveUp { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long an orderly end of the server waits for its workers to save what they have.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(15);
}
