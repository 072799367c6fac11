using System.Globalization;
using Anneal.Engine.Architectures;
using Anneal.Engine.Data;
using Anneal.Engine.Text;
using Anneal.Jobs;

namespace Anneal.Server.Runs;

/// <summary>What a run trains on, fetched from the server and turned into tokens.</summary>
/// <param name="Model">The base model; belongs to whoever has this.</param>
/// <param name="Training">Training examples.</param>
/// <param name="Validation">Validation examples; may be empty.</param>
/// <param name="AdapterFolder">The adapter to go on from, or null.</param>
/// <param name="StateFile">The run state to go on from, or null.</param>
internal sealed record TrainingData(
    BaseModel Model,
    IReadOnlyList<TokenizedExample> Training,
    IReadOnlyList<TokenizedExample> Validation,
    string? AdapterFolder,
    string? StateFile)
{
    /// <summary>Fetches, loads and tokenises.</summary>
    /// <exception cref="JobFaultException">The model or the data cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The run ended, or is to let go.</exception>
    public static TrainingData Prepare(
        RunSpec spec, RunClient client, string scratch, TrainingObserver observer, RunReporter reporter,
        CancellationToken cancellation)
    {
        string training = Path.Combine(scratch, "training.jsonl");
        string validation = Path.Combine(scratch, "validation.jsonl");
        string state = Path.Combine(scratch, "resume-state");
        Wait(client.DownloadFileAsync(spec.TrainingFile, training, cancellation));
        if (spec.ValidationFile is not null)
        {
            Wait(client.DownloadFileAsync(spec.ValidationFile, validation, cancellation));
        }
        string? adapter = FetchStart(spec, client, scratch, cancellation);
        if (spec.State is not null)
        {
            Wait(client.DownloadStateAsync(spec.State, state, cancellation));
        }

        (BaseModel model, ModelText text) = LoadModel(spec.BaseModelFolder);
        try
        {
            Tokens tokens = new(text, model.Config.MaxPositions, observer, cancellation);
            List<TokenizedExample> train = tokens.Read(training, "training_file");
            List<TokenizedExample> valid = spec.ValidationFile is null ? [] : tokens.Read(validation, "validation_file");
            if (train.Sum(e => e.TrainedTokens) == 0)
            {
                throw new JobFaultException(
                    "invalid_training_file",
                    "The job failed due to an invalid training file. No example has an assistant message to train on "
                    + $"within the model's context of {model.Config.MaxPositions} tokens.",
                    "training_file");
            }
            if (spec.State is null)
            {
                // Said once: a run that goes on from a state was preceded by one that said it.
                SayTruncations(train, "training", model.Config.MaxPositions, reporter);
                SayTruncations(valid, "validation", model.Config.MaxPositions, reporter);
            }
            return new TrainingData(model, train, valid, adapter, spec.State is null ? null : state);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static string? FetchStart(RunSpec spec, RunClient client, string scratch, CancellationToken cancellation)
    {
        if (spec.StartFrom.Count == 0)
        {
            return null;
        }
        string folder = Path.Combine(scratch, "start-from");
        Directory.CreateDirectory(folder);
        foreach (RemoteFile file in spec.StartFrom)
        {
            Wait(client.DownloadModelFileAsync(file, Path.Combine(folder, file.Name), cancellation));
        }
        return folder;
    }

    private static (BaseModel Model, ModelText Text) LoadModel(string folder)
    {
        BaseModel? model = null;
        try
        {
            model = BaseModel.Load(folder);
            return (model, ModelText.Load(folder));
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            model?.Dispose();
            throw new JobFaultException("invalid_model", $"The base model cannot be used: {e.Message}", "model");
        }
    }

    private static void SayTruncations(
        List<TokenizedExample> examples, string which, int context, RunReporter reporter)
    {
        int cut = examples.Count(e => e.OriginalLength > e.Ids.Length);
        if (cut > 0)
        {
            reporter.Event(EventLevel.Warn, string.Create(
                CultureInfo.InvariantCulture,
                $"{cut} of {examples.Count} {which} examples are longer than the model's context of {context} tokens and were "
                + $"truncated at the end"));
        }
    }

    /// <summary>The training thread may block: it is its own.</summary>
    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    /// <summary>Files to examples.</summary>
    private sealed class Tokens(
        ModelText text, int context, TrainingObserver observer, CancellationToken cancellation)
    {
        public List<TokenizedExample> Read(string path, string param)
        {
            List<TokenizedExample> examples = [];
            using FileStream stream = File.OpenRead(path);
            foreach (ChatLine line in ChatFile.ReadAsync(stream, cancellation: cancellation).ToBlockingEnumerable(cancellation))
            {
                cancellation.ThrowIfCancellationRequested();
                if (observer.Unwanted)
                {
                    // Nothing is lost: the next run prepares again.
                    throw new OperationCanceledException("The run is to let go.");
                }
                examples.Add(line.Example is null ? throw Fault(FileCheck.Describe(line.Faults[0]), param) : Tokenize(line.Example, param));
            }
            return examples;
        }

        private TokenizedExample Tokenize(ChatExample example, string param)
        {
            try
            {
                return Masking.Tokenize(example, text, context, out _);
            }
            catch (MaskingException e)
            {
                throw Fault(e.Message, param);
            }
            catch (InvalidDataException e)
            {
                throw new JobFaultException("invalid_model", $"The base model cannot be used: {e.Message}", "model");
            }
        }

        private static JobFaultException Fault(string what, string param) =>
            new("invalid_" + param, FileCheck.Failure(param, what), param);
    }
}
