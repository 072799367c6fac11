using System.Data.Common;
using Anneal.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Anneal.Server.Runs;

/// <summary>Runs <see cref="FileCheck"/> whenever a job waits for it.</summary>
internal sealed partial class FileCheckService(
    JobStore store, FileCheck check, TimeProvider time, ILogger<FileCheckService> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (true)
        {
            Task changed = store.Changed;
            if (await TryAsync(stoppingToken))
            {
                continue;
            }
            using CancellationTokenSource waiting = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            await Task.WhenAny(changed, Task.Delay(Period, time, waiting.Token));
            await waiting.CancelAsync();
            stoppingToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<bool> TryAsync(CancellationToken cancellation)
    {
        try
        {
            return await check.RunOnceAsync(cancellation);
        }
        catch (Exception e) when (e is DbException or IOException)
        {
            // Disk trouble passes; the job keeps waiting.
            Log.TryAgain(logger, e.Message);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Files cannot be checked at the moment: {Reason}")]
        public static partial void TryAgain(ILogger logger, string reason);
    }
}
