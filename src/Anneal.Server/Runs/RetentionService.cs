using System.Data.Common;
using Anneal.Jobs.Supervision;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Anneal.Server.Runs;

/// <summary>Runs <see cref="Retention"/>: orphans once at the start, expired files and dropped blobs every few seconds.</summary>
internal sealed partial class RetentionService(Retention retention, TimeProvider time, ILogger<RetentionService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await TryAsync(() => retention.SweepOrphansAsync(stoppingToken));
        using PeriodicTimer timer = new(Period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await TryAsync(() => retention.RunOnceAsync(stoppingToken));
        }
    }

    private async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is DbException or IOException or UnauthorizedAccessException)
        {
            // Nothing is lost by waiting.
            Log.TryAgain(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Old data cannot be removed at the moment: {Reason}")]
        public static partial void TryAgain(ILogger logger, string reason);
    }
}
