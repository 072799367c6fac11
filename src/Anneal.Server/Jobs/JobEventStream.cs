using Anneal.Jobs;
using Anneal.Server.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Anneal.Server.Jobs;

/// <summary>
/// The answer to <c>?stream=true</c>: all past events, oldest first, then live ones, closed once the job has ended. The store is
/// read again after every signal, so nothing is lost and nothing comes twice.
/// </summary>
internal sealed class JobEventStream(
    JobStore store, TimeProvider time, IHostApplicationLifetime lifetime, string jobId) : IResult
{
    private const int BatchMax = 500;

    /// <summary>Changes made by another process give no signal; this is how late they may be seen.</summary>
    private static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        // The end of the server ends the stream: it may have hours to go, and a client asks again.
        using CancellationTokenSource ending =
            CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await FollowAsync(httpContext, ending.Token);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            httpContext.Abort();
        }
    }

    private async Task FollowAsync(HttpContext httpContext, CancellationToken cancellation)
    {
        EventStream stream = await EventStream.StartAsync(httpContext, cancellation);
        long sequence = 0;
        long lastSent = time.GetTimestamp();
        while (true)
        {
            Task changed = store.Changed;
            // The status first: events that belong to the final status are committed with it, so they are read below.
            bool ended = (await store.GetJobAsync(jobId, cancellation))?.Status.IsTerminal() ?? true;
            IReadOnlyList<JobEvent> events = await store.ListEventsSinceAsync(jobId, sequence, BatchMax, cancellation);
            foreach (JobEvent item in events)
            {
                await stream.SendAsync(ApiJson.Write(EventWire.Of(item), ApiJson.Default.EventWire), cancellation);
                sequence = item.Sequence;
                lastSent = time.GetTimestamp();
            }
            if (events.Count == BatchMax)
            {
                continue;
            }
            if (ended)
            {
                await stream.DoneAsync(cancellation);
                return;
            }
            if (time.GetElapsedTime(lastSent) >= EventStream.SilenceMax)
            {
                await stream.PingAsync(cancellation);
                lastSent = time.GetTimestamp();
            }
            await Task.WhenAny(changed, Task.Delay(PollPeriod, time, cancellation));
        }
    }
}
