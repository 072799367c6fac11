using System.CommandLine;
using System.Globalization;
using Anneal.Cli.Terminal;
using Anneal.Client;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal jobs create</c>.</summary>
internal static class JobsCreateCommand
{
    private static readonly Option<string> Model = new("--model")
    {
        Description = "Base model, or a tuned model to go on from.",
        Required = true,
    };

    private static readonly Option<string> TrainingFile = new("--training-file")
    {
        Description = "Id of an uploaded file, or a local file to upload.",
        Required = true,
    };

    private static readonly Option<string?> ValidationFile = new("--validation-file") { Description = "A file to measure on, likewise." };
    private static readonly Option<string?> Suffix = new("--suffix") { Description = "Becomes part of the tuned model's name." };
    private static readonly Option<long?> Seed = new("--seed") { Description = "Seed of everything random." };
    private static readonly Option<string?> Epochs = new("--epochs") { Description = "How often the file is trained on; a number or auto." };
    private static readonly Option<string?> BatchSize = new("--batch-size") { Description = "Examples of one step; a number or auto." };

    private static readonly Option<string?> Multiplier = new("--learning-rate-multiplier")
    {
        Description = "Factor on the usual learning rate; a number or auto.",
    };

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        Option<string[]> metadata = JobsCommand.MetadataOption("A note to keep with the job; may be given several times.");
        var watch = new Option<bool>("--watch") { Description = "Follow the job to its end." };
        Option<bool> json = Verb.Json();
        return Verb.Of("create", "Create a job.", shell, async (parsed, cancellation) =>
        {
            CreateJobRequest request = Read(parsed, JobsCommand.Metadata(parsed.GetValue(metadata)));
            using AnnealClient client = Verb.Client(shell);
            request = request with
            {
                TrainingFile = await UploadedAsync(shell, client, request.TrainingFile, cancellation),
                ValidationFile = request.ValidationFile is string file ? await UploadedAsync(shell, client, file, cancellation) : null,
            };
            FineTuningJob job = await client.Jobs.CreateAsync(request, cancellation);
            if (parsed.GetValue(watch))
            {
                return await JobsWatchCommand.RunAsync(shell, job.Id, parsed.GetValue(json), cancellation);
            }

            JobsCommand.Write(shell, job, parsed.GetValue(json));
            if (!parsed.GetValue(json))
            {
                shell.Error.WriteLine($"Follow it with: {shell.Command} jobs watch {job.Id}");
            }

            return Root.Done;
        }, Model, TrainingFile, ValidationFile, Suffix, Seed, Epochs, BatchSize, Multiplier, metadata, watch, json);
    }

    private static CreateJobRequest Read(ParseResult parsed, Dictionary<string, string>? metadata)
    {
        AutoOr<int>? epochs = Auto<int>(parsed, Epochs);
        AutoOr<int>? batchSize = Auto<int>(parsed, BatchSize);
        AutoOr<double>? multiplier = Auto<double>(parsed, Multiplier);
        bool given = epochs is not null || batchSize is not null || multiplier is not null;
        return new CreateJobRequest
        {
            Model = parsed.GetRequiredValue(Model),
            TrainingFile = parsed.GetRequiredValue(TrainingFile),
            ValidationFile = parsed.GetValue(ValidationFile),
            Suffix = parsed.GetValue(Suffix),
            Seed = parsed.GetValue(Seed),
            Metadata = metadata,
            Method = given
                ? TrainingMethod.ForSupervised(
                    new Hyperparameters { NEpochs = epochs, BatchSize = batchSize, LearningRateMultiplier = multiplier })
                : null,
        };
    }

    private static AutoOr<T>? Auto<T>(ParseResult parsed, Option<string?> option)
        where T : struct, ISpanParsable<T>
    {
        string? text = parsed.GetValue(option);
        return text switch
        {
            null => null,
            "auto" => AutoOr<T>.Auto,
            _ when T.TryParse(text, CultureInfo.InvariantCulture, out T value) => new AutoOr<T>(value),
            _ => throw new UsageException($"{option.Name} wants a number or auto, not '{text}'."),
        };
    }

    // An id stays what it is; a path is uploaded first.
    private static async Task<string> UploadedAsync(Shell shell, AnnealClient client, string file, CancellationToken cancellation)
    {
        if (file.StartsWith("file-", StringComparison.Ordinal) && !File.Exists(file))
        {
            return file;
        }

        ApiFile uploaded = await client.Files.CreateAsync(file, FilePurpose.FineTune, null, cancellation);
        shell.Error.WriteLine($"Uploaded {uploaded.Filename} as {uploaded.Id}");
        return uploaded.Id;
    }
}
