using System.Text.Json;
using System.Threading.Channels;
using Anneal.Jobs;

namespace Anneal.Server.Runs;

/// <summary>
/// Carries what a run has to say to the server, in order and on a thread of its own, so that training goes on while the server
/// is slow or away. Also sends the heartbeats. The most serious directive that any answer carried is kept.
/// </summary>
internal sealed class RunReporter : IAsyncDisposable
{
    /// <summary>Reports that may wait. When the server has been away for so long that it is full, training waits.</summary>
    private const int WaitingMax = 10_000;

    /// <summary>Events are sent together that come within this time.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(150);

    private readonly RunClient _client;
    private readonly TimeProvider _time;
    private readonly TimeSpan _heartbeat;
    private readonly CancellationTokenSource _ended = new();
    private readonly Channel<Report> _reports = Channel.CreateBounded<Report>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly Task _sending;
    private readonly Task _beating;
    private long _sequence;
    private int _directive;
    private volatile bool _stateWaiting;
    private volatile HeartbeatReport _progress = new(0, null);

    /// <summary>Begins to send.</summary>
    public RunReporter(RunClient client, TimeSpan heartbeat, TimeProvider time)
    {
        _client = client;
        _time = time;
        _heartbeat = heartbeat;
        _sending = Task.Run(SendAsync);
        _beating = Task.Run(BeatAsync);
    }

    private abstract record Report;

    private sealed record EventReportItem(EventItem Item) : Report;

    private sealed record CheckpointReportItem(string Folder, int Step, bool Final, JsonElement Metrics) : Report;

    private sealed record StateReportItem(int Step, string Path) : Report;

    /// <summary>What the server wants, as far as it is known here.</summary>
    public RunDirective Directive => (RunDirective)Volatile.Read(ref _directive);

    /// <summary>Cancelled when the run must end at once: <see cref="RunDirective.Stop"/>, or the server is lost.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Why <see cref="Ended"/> was cancelled, when it was not a directive.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>True while a run state waits for its upload.</summary>
    public bool StateWaiting => _stateWaiting;

    /// <summary>What the next heartbeats say.</summary>
    public void SetProgress(int step, double? secondsLeft) => _progress = new HeartbeatReport(step, secondsLeft);

    /// <summary>Reports an event. Called by one thread at a time.</summary>
    public void Event(EventLevel level, string message, int? step = null, JsonElement? data = null) =>
        Add(new EventReportItem(new EventItem(++_sequence, level.ToName(), message, step, data)));

    /// <summary>Reports a checkpoint; its folder is deleted once it is stored.</summary>
    public void Checkpoint(string folder, int step, bool final, JsonElement metrics) =>
        Add(new CheckpointReportItem(folder, step, final, metrics));

    /// <summary>Reports a run state; its file is deleted once it is stored.</summary>
    public void State(int step, string path)
    {
        _stateWaiting = true;
        Add(new StateReportItem(step, path));
    }

    /// <summary>Completes when everything reported so far is stored. Nothing can be reported afterwards.</summary>
    /// <exception cref="ServerLostException">The server is gone.</exception>
    public async Task DrainAsync()
    {
        _reports.Writer.TryComplete();
        await _sending;
        if (Failure is not null)
        {
            throw Failure;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _reports.Writer.TryComplete();
        await _ended.CancelAsync();
        await _sending;
        await _beating;
        _ended.Dispose();
    }

    private void Add(Report report)
    {
        try
        {
            if (!_reports.Writer.TryWrite(report))
            {
                _reports.Writer.WriteAsync(report, _ended.Token).AsTask().GetAwaiter().GetResult();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // The run is over; its training thread sees that at the next step.
        }
    }

    private async Task SendAsync()
    {
        try
        {
            List<EventItem> batch = [];
            while (await _reports.Reader.WaitToReadAsync(_ended.Token))
            {
                batch.Clear();
                while (batch.Count < Limits.EventBatchMax
                    && _reports.Reader.TryPeek(out Report? next) && next is EventReportItem item)
                {
                    _reports.Reader.TryRead(out _);
                    batch.Add(item.Item);
                }
                if (batch.Count > 0)
                {
                    Hear(await _client.AppendAsync(batch, _ended.Token));
                    await GatherAsync();
                }
                else if (_reports.Reader.TryRead(out Report? upload))
                {
                    await UploadAsync(upload);
                }
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The run is over.
        }
        catch (Exception e)
        {
            // Whatever it is, the training thread must stop and tell it.
            Fail(e);
        }
    }

    /// <summary>Lets more events come together, unless the run is waiting for the last ones.</summary>
    private Task GatherAsync() =>
        Task.WhenAny(_reports.Reader.Completion, Task.Delay(Gather, _time, _ended.Token));

    private async Task UploadAsync(Report report)
    {
        if (report is CheckpointReportItem checkpoint)
        {
            Hear(await _client.UploadCheckpointAsync(
                checkpoint.Folder, checkpoint.Step, checkpoint.Final, checkpoint.Metrics, _ended.Token));
            Directory.Delete(checkpoint.Folder, recursive: true);
        }
        else if (report is StateReportItem state)
        {
            Hear(await _client.UploadStateAsync(state.Step, state.Path, _ended.Token));
            File.Delete(state.Path);
            _stateWaiting = false;
        }
    }

    private async Task BeatAsync()
    {
        try
        {
            using PeriodicTimer timer = new(_heartbeat, _time);
            do
            {
                Hear(await _client.HeartbeatAsync(_progress, _ended.Token));
            }
            while (await timer.WaitForNextTickAsync(_ended.Token));
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The run is over.
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Hear(RunDirective directive)
    {
        int heard = (int)directive;
        int known;
        while ((known = Volatile.Read(ref _directive)) < heard)
        {
            Interlocked.CompareExchange(ref _directive, heard, known);
        }
        if (directive == RunDirective.Stop)
        {
            _ended.Cancel();
        }
    }

    private void Fail(Exception e)
    {
        Failure ??= e;
        _ended.Cancel();
    }
}
