using System.CommandLine;
using Anneal.Cli.Terminal;
using Anneal.Client;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal jobs</c>: fine-tuning jobs on the server.</summary>
internal static class JobsCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell) => Verb.Group(
        "jobs", "Fine-tuning jobs on the server.",
        JobsCreateCommand.Create(shell), JobsWatchCommand.Create(shell), List(shell),
        Single(shell, "retrieve", "Show a job.", (jobs, id, cancellation) => jobs.RetrieveAsync(id, cancellation)),
        Single(shell, "cancel", "End a job.", (jobs, id, cancellation) => jobs.CancelAsync(id, cancellation)),
        Single(shell, "pause", "Stop a job until it is resumed.", (jobs, id, cancellation) => jobs.PauseAsync(id, cancellation)),
        Single(shell, "resume", "Let a paused job go on.", (jobs, id, cancellation) => jobs.ResumeAsync(id, cancellation)),
        Events(shell), Checkpoints(shell));

    /// <summary>The argument that names a job.</summary>
    public static Argument<string> Id() => new("job-id") { Description = "The job's id, ftjob-…" };

    /// <summary>Prints a job.</summary>
    public static void Write(Shell shell, FineTuningJob job, bool json)
    {
        if (json)
        {
            Verb.WriteJson(shell, job, ClientJson.Default.FineTuningJob);
            return;
        }

        var lines = new List<(string Name, string? Value)>
        {
            ("job", job.Id),
            ("status", job.Status.Value),
            ("error", job.Error?.Message),
            ("model", job.Model),
            ("tuned model", job.FineTunedModel),
            ("training file", job.TrainingFile),
            ("validation file", job.ValidationFile),
            ("epochs", job.Hyperparameters?.NEpochs?.ToString()),
            ("batch size", job.Hyperparameters?.BatchSize?.ToString()),
            ("learning rate", job.Hyperparameters?.LearningRateMultiplier is AutoOr<double> factor ? $"× {factor}" : null),
            ("seed", job.Seed?.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("created", Format.Moment(job.CreatedAt, shell.Time)),
            ("finished", job.FinishedAt is DateTimeOffset end ? Format.Moment(end, shell.Time) : null),
            ("trained tokens", job.TrainedTokens is long tokens ? Format.Count(tokens) : null),
            ("result files", job.ResultFiles.Count > 0 ? string.Join(' ', job.ResultFiles) : null),
            ("metadata", job.Metadata is { Count: > 0 } notes ? string.Join(' ', notes.Select(note => $"{note.Key}={note.Value}")) : null),
        };
        foreach ((string name, string? value) in lines.Where(line => !string.IsNullOrEmpty(line.Value)))
        {
            shell.Out.WriteLine($"{name,-16} {value}");
        }
    }

    /// <summary>Reads <c>name=value</c> notes.</summary>
    /// <exception cref="UsageException">One has no equals sign.</exception>
    public static Dictionary<string, string>? Metadata(string[]? notes) => notes is not { Length: > 0 } ? null : notes
        .Select(note => note.Split('=', 2) is [var name, var value]
            ? (name, value)
            : throw new UsageException($"--metadata wants name=value, not '{note}'."))
        .ToDictionary(note => note.name, note => note.value);

    /// <summary>The option for notes.</summary>
    public static Option<string[]> MetadataOption(string description) => new("--metadata")
    {
        Description = description,
        HelpName = "name=value",
        AllowMultipleArgumentsPerToken = false,
    };

    private static Command List(Shell shell)
    {
        Option<string[]> metadata = MetadataOption("Only jobs with this note; may be given several times.");
        var limit = new Option<int?>("--limit") { Description = "At most so many." };
        Option<bool> json = Verb.Json();
        return Verb.Of("list", "List jobs, newest first.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            var listing = new Listing("id", "status", "created", "model");
            IAsyncEnumerable<FineTuningJob> jobs = client.Jobs.ListAsync(Metadata(parsed.GetValue(metadata)), null, cancellation)
                .Take(parsed.GetValue(limit) ?? int.MaxValue);
            await foreach (FineTuningJob job in jobs)
            {
                if (parsed.GetValue(json))
                {
                    Verb.WriteJson(shell, job, ClientJson.Default.FineTuningJob);
                }
                else
                {
                    listing.Add(job.Id, job.Status.Value, Format.Brief(job.CreatedAt, shell.Time), job.FineTunedModel ?? job.Model);
                }
            }

            if (!parsed.GetValue(json))
            {
                listing.Write(shell, $"No jobs. Create one with: {shell.Command} jobs create");
            }

            return Root.Done;
        }, metadata, limit, json);
    }

    private static Command Single(
        Shell shell, string name, string description, Func<JobClient, string, CancellationToken, Task<FineTuningJob>> act)
    {
        Argument<string> id = Id();
        Option<bool> json = Verb.Json();
        return Verb.Of(name, description, shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            Write(shell, await act(client.Jobs, parsed.GetRequiredValue(id), cancellation), parsed.GetValue(json));
            return Root.Done;
        }, id, json);
    }

    private static Command Events(Shell shell)
    {
        Argument<string> id = Id();
        Option<bool> json = Verb.Json();
        return Verb.Of("events", "List what happened to a job, oldest first.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            List<JobEvent> events = await client.Jobs.EventsAsync(parsed.GetRequiredValue(id), 1000, cancellation).ToListAsync(cancellation);
            events.Reverse();
            foreach (JobEvent item in events)
            {
                JobsWatchCommand.WriteEvent(shell, item, parsed.GetValue(json));
            }

            return Root.Done;
        }, id, json);
    }

    private static Command Checkpoints(Shell shell)
    {
        Argument<string> id = Id();
        Option<bool> json = Verb.Json();
        return Verb.Of("checkpoints", "List a job's checkpoints, the latest first.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            var listing = new Listing(" step", " loss", " valid loss", "model");
            await foreach (JobCheckpoint item in client.Jobs.CheckpointsAsync(parsed.GetRequiredValue(id), null, cancellation))
            {
                if (parsed.GetValue(json))
                {
                    Verb.WriteJson(shell, item, ClientJson.Default.JobCheckpoint);
                    continue;
                }

                double? valid = item.Metrics?.FullValidLoss ?? item.Metrics?.ValidLoss;
                listing.Add(
                    Format.Count(item.StepNumber),
                    item.Metrics?.TrainLoss is double loss ? Format.Loss(loss) : "",
                    valid is double measured ? Format.Loss(measured) : "",
                    item.FineTunedModelCheckpoint);
            }

            if (!parsed.GetValue(json))
            {
                listing.Write(shell, "No checkpoints yet: one is made at the end of each epoch.");
            }

            return Root.Done;
        }, id, json);
    }
}
