using System.Data.Common;
using Anneal.Jobs;
using Anneal.Jobs.Supervision;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Anneal.Server.Runs;

/// <summary>
/// Runs the scheduler and the rescuer: at once when something changes or a worker exits, and at least every second. Before the
/// server stops answering it asks its workers to save what they have and let go.
/// </summary>
internal sealed partial class RunSupervisor(
    JobStore store, Scheduler scheduler, Rescuer rescuer, RunOptions options, TimeProvider time, ScratchFolders scratch,
    IHostApplicationLifetime lifetime, ILogger<RunSupervisor> logger)
    : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Workers that lived through this server's absence get time to report before the rescuer looks at them.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => store.ExtendLeasesAsync(options.Lease, cancellationToken);

    /// <summary>Begins once the server listens, because workers are told its address.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(() => LoopAsync(_stopping.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>While the server still answers: no new workers, and the present ones let go.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loop;
        await scheduler.StopWorkersAsync(options.ShutdownGrace, CancellationToken.None);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _stopping.Dispose();

    private async Task LoopAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                Task changed = store.Changed;
                await RunOnceAsync(cancellation);
                using CancellationTokenSource waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                await Task.WhenAny(changed, scheduler.AnyExited, Task.Delay(Period, time, waiting.Token));
                await waiting.CancelAsync();
                cancellation.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The server stops.
        }
        catch (Exception e)
        {
            // Jobs would wait for ever without anybody knowing why: a server that cannot do its work ends.
            Log.Broken(logger, e);
            lifetime.StopApplication();
        }
    }

    private async Task RunOnceAsync(CancellationToken cancellation)
    {
        try
        {
            foreach (SupervisionNote note in (SupervisionNote[])
                [.. await rescuer.RunOnceAsync(cancellation), .. await scheduler.RunOnceAsync(cancellation)])
            {
                Log.Note(logger, note.What, note.JobId, note.RunId);
            }
            await scratch.RemoveEndedAsync(store, cancellation);
        }
        catch (Exception e) when (e is DbException or IOException)
        {
            // A full disk passes; the store is unharmed, and the next round tries again.
            Log.TryAgain(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{What} ({JobId}, {RunId})")]
        public static partial void Note(ILogger logger, string what, string? jobId, string? runId);

        [LoggerMessage(2, LogLevel.Error, "Jobs cannot be supervised at the moment: {Reason}")]
        public static partial void TryAgain(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Critical, "The supervision of jobs broke; the server ends.")]
        public static partial void Broken(ILogger logger, Exception e);
    }
}
