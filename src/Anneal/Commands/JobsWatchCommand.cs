using System.CommandLine;
using Anneal.Cli.Terminal;
using Anneal.Client;
using Spectre.Console;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal jobs watch</c>: a job as it happens.</summary>
internal static class JobsWatchCommand
{
    // A server that is restarted is away for a while; its jobs are not. About a minute and a half.
    private const int PatientRetries = 14;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> id = JobsCommand.Id();
        Option<bool> json = Verb.Json();
        return Verb.Of("watch", "Follow a job to its end.", shell, async (parsed, cancellation) =>
        {
            using (AnnealClient client = Verb.Client(shell))
            {
                // A wrong address or id is told at once; what follows is patient.
                await client.Jobs.RetrieveAsync(parsed.GetRequiredValue(id), cancellation);
            }

            return await RunAsync(shell, parsed.GetRequiredValue(id), parsed.GetValue(json), cancellation);
        }, id, json);
    }

    /// <summary>Follows a job: a live view for people, a line an event otherwise.</summary>
    /// <returns>0 when it succeeded, else 1.</returns>
    public static async Task<int> RunAsync(Shell shell, string jobId, bool json, CancellationToken cancellation)
    {
        using AnnealClient client = Verb.Client(shell, PatientRetries);
        FineTuningJob job;
        try
        {
            job = await FollowAsync(shell, client, jobId, json, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            shell.Error.WriteLine($"The job goes on. Follow it with: {shell.Command} jobs watch {jobId}");
            return Root.Failed;
        }

        if (json)
        {
            Verb.WriteJson(shell, job, ClientJson.Default.FineTuningJob);
        }
        else if (job.Status == JobStatus.Succeeded)
        {
            shell.Out.WriteLine($"Tuned model: {job.FineTunedModel}");
        }
        else
        {
            shell.Error.WriteLine($"anneal: the job {job.Status}{(job.Error?.Message is string why ? $": {why}" : "")}");
        }

        return job.Status == JobStatus.Succeeded ? Root.Done : Root.Failed;
    }

    /// <summary>Follows a job to its end and shows it; says nothing about how it ended.</summary>
    public static async Task<FineTuningJob> FollowAsync(
        Shell shell, AnnealClient client, string jobId, bool json, CancellationToken cancellation)
    {
        if (shell.OutIsTerminal && !json)
        {
            return await FollowLiveAsync(shell, client, jobId, cancellation);
        }

        FineTuningJob? job = null;
        await foreach (JobUpdate update in client.Jobs.FollowAsync(jobId, Interval, cancellation))
        {
            job = update.Job;
            foreach (JobEvent item in update.News)
            {
                WriteEvent(shell, item, json);
            }
        }

        return job!;
    }

    /// <summary>Follows a job to its end: a live view for people; otherwise its messages, and a step now and then.</summary>
    public static async Task<FineTuningJob> FollowBrieflyAsync(
        Shell shell, AnnealClient client, string jobId, CancellationToken cancellation)
    {
        if (shell.OutIsTerminal)
        {
            return await FollowLiveAsync(shell, client, jobId, cancellation);
        }

        FineTuningJob? job = null;
        int tenthsTold = 0;
        await foreach (JobUpdate update in client.Jobs.FollowAsync(jobId, Interval, cancellation))
        {
            job = update.Job;
            foreach (JobEvent item in update.News)
            {
                int tenths = item.Metrics is { TotalSteps: int total and > 0 } step ? step.Step * 10 / total : -1;
                if (tenths < 0 || tenths > tenthsTold)
                {
                    tenthsTold = Math.Max(tenths, tenthsTold);
                    WriteEvent(shell, item, json: false);
                }
            }
        }

        return job!;
    }

    /// <summary>Prints an event as a line.</summary>
    public static void WriteEvent(Shell shell, JobEvent item, bool json)
    {
        if (json)
        {
            Verb.WriteJson(shell, item, ClientJson.Default.JobEvent);
            return;
        }

        string level = item.Level == JobEventLevel.Info ? "" : $"{item.Level}: ";
        shell.Out.WriteLine($"{Format.Moment(item.CreatedAt, shell.Time)}  {level}{item.Message}");
    }

    private static async Task<FineTuningJob> FollowLiveAsync(Shell shell, AnnealClient client, string jobId, CancellationToken cancellation)
    {
        var view = new JobView(shell.Time);
        FineTuningJob? job = null;
        await shell.OutConsole().Live(new Text("")).AutoClear(false).StartAsync(async live =>
        {
            await foreach (JobUpdate update in client.Jobs.FollowAsync(jobId, Interval, cancellation))
            {
                job = update.Job;
                view.Update(update);
                live.UpdateTarget(view.Render(shell.Columns));
            }
        });
        return job!;
    }
}
