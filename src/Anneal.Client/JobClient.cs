using System.Net.Http.Json;
using System.Runtime.CompilerServices;

namespace Anneal.Client;

/// <summary>Fine-tuning jobs, their events and checkpoints.</summary>
public sealed class JobClient
{
    private const int EventPageSize = 200;

    private readonly Transport _transport;
    private readonly TimeProvider _time;

    internal JobClient(Transport transport, TimeProvider time)
    {
        _transport = transport;
        _time = time;
    }

    /// <summary>Creates a job.</summary>
    /// <param name="request">What to train on what.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<FineTuningJob> CreateAsync(CreateJobRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _transport.SendAsync(
            HttpMethod.Post, "fine_tuning/jobs", () => JsonContent.Create(request, ClientJson.Default.CreateJobRequest),
            ClientJson.Default.FineTuningJob, cancellation);
    }

    /// <summary>Lists jobs, newest first.</summary>
    /// <param name="metadata">Only those that were created with all of these notes.</param>
    /// <param name="pageSize">Items of one request.</param>
    /// <param name="cancellation">Gives up.</param>
    public IAsyncEnumerable<FineTuningJob> ListAsync(
        IReadOnlyDictionary<string, string>? metadata = null, int? pageSize = null, CancellationToken cancellation = default)
    {
        IEnumerable<string> filter = (metadata ?? new Dictionary<string, string>())
            .Select(pair => $"metadata%5B{Uri.EscapeDataString(pair.Key)}%5D={Uri.EscapeDataString(pair.Value)}");
        string query = string.Join('&', filter);
        return _transport.ListAsync(
            query.Length > 0 ? $"fine_tuning/jobs?{query}" : "fine_tuning/jobs",
            pageSize, null, ClientJson.Default.PageFineTuningJob, job => job.Id, cancellation);
    }

    /// <summary>One job.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<FineTuningJob> RetrieveAsync(string jobId, CancellationToken cancellation = default) =>
        _transport.GetAsync(Path_(jobId), ClientJson.Default.FineTuningJob, cancellation);

    /// <summary>Ends a job.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<FineTuningJob> CancelAsync(string jobId, CancellationToken cancellation = default) => ChangeAsync(jobId, "cancel", cancellation);

    /// <summary>Stops a job until it is resumed.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<FineTuningJob> PauseAsync(string jobId, CancellationToken cancellation = default) => ChangeAsync(jobId, "pause", cancellation);

    /// <summary>Lets a paused job go on.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<FineTuningJob> ResumeAsync(string jobId, CancellationToken cancellation = default) => ChangeAsync(jobId, "resume", cancellation);

    /// <summary>Lists a job's events, newest first.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="pageSize">Items of one request.</param>
    /// <param name="cancellation">Gives up.</param>
    public IAsyncEnumerable<JobEvent> EventsAsync(string jobId, int? pageSize = null, CancellationToken cancellation = default) =>
        _transport.ListAsync($"{Path_(jobId)}/events", pageSize, null, ClientJson.Default.PageJobEvent, item => item.Id, cancellation);

    /// <summary>
    /// Follows a job to its end. The first update tells all that has happened so far, each further one what is new; the last has a job
    /// whose status is final. Every event comes once, oldest first.
    /// </summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="interval">Pause between two looks; null for one second.</param>
    /// <param name="cancellation">Stops following; the job goes on.</param>
    public async IAsyncEnumerable<JobUpdate> FollowAsync(
        string jobId, TimeSpan? interval = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        string? lastSeen = null;
        while (true)
        {
            // The state before the events: when it is final, these events are all there will be.
            FineTuningJob job = await RetrieveAsync(jobId, cancellation).ConfigureAwait(false);
            var news = new List<JobEvent>();
            await foreach (JobEvent item in EventsAsync(jobId, EventPageSize, cancellation).ConfigureAwait(false))
            {
                if (item.Id == lastSeen)
                {
                    break;
                }

                news.Add(item);
            }

            news.Reverse();
            lastSeen = news.Count > 0 ? news[^1].Id : lastSeen;
            yield return new JobUpdate(job, news);
            if (job.Status.IsFinal)
            {
                yield break;
            }

            await Task.Delay(interval ?? TimeSpan.FromSeconds(1), _time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Lists a job's checkpoints, the latest step first.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="pageSize">Items of one request.</param>
    /// <param name="cancellation">Gives up.</param>
    public IAsyncEnumerable<JobCheckpoint> CheckpointsAsync(string jobId, int? pageSize = null, CancellationToken cancellation = default) =>
        _transport.ListAsync(
            $"{Path_(jobId)}/checkpoints", pageSize, null, ClientJson.Default.PageJobCheckpoint, item => item.Id, cancellation);

    private Task<FineTuningJob> ChangeAsync(string jobId, string verb, CancellationToken cancellation) =>
        _transport.SendAsync(HttpMethod.Post, $"{Path_(jobId)}/{verb}", null, ClientJson.Default.FineTuningJob, cancellation);

    private static string Path_(string jobId)
    {
        ArgumentException.ThrowIfNullOrEmpty(jobId);
        return $"fine_tuning/jobs/{Uri.EscapeDataString(jobId)}";
    }
}

/// <summary>What is new about a job.</summary>
/// <param name="Job">The job as it is now.</param>
/// <param name="News">Events since the update before, oldest first.</param>
public sealed record JobUpdate(FineTuningJob Job, IReadOnlyList<JobEvent> News);
