using System.CommandLine;
using System.Globalization;
using Anneal.Cli.Terminal;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Text;
using Spectre.Console;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal train</c>: the engine without a server.</summary>
internal static class TrainCommand
{
    private static readonly ModelData Input = new();
    private static readonly EngineOptions Engine = new();

    private static readonly Option<string?> Validation = new("--validation") { Description = "A file to measure on.", HelpName = "FILE" };

    private static readonly Option<string> Target = new("--out")
    {
        Description = "Where the adapter or the model goes.",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<bool> Full = new("--full") { Description = "Train every weight instead of an adapter." };
    private static readonly Option<int> Rank = EngineOptions.Number("--rank", "Rank of the adapter.", 16, 1);

    private static readonly Option<double?> Alpha = Real("--alpha", "Scale of the adapter times its rank; default twice the rank.");

    private static readonly Option<string> Targets = new("--targets")
    {
        Description = "Layers that get an adapter: all, or names such as q_proj,v_proj. Default all.",
        HelpName = "NAMES",
        DefaultValueFactory = _ => "all",
    };

    private static readonly Option<double?> Dropout = Real("--dropout", "Share of the adapter's input that is dropped. Default 0.");

    private static readonly Option<string?> Adapter = new("--adapter")
    {
        Description = "Go on from this adapter, with its shape.",
        HelpName = "DIR",
    };

    private static readonly Option<int> Epochs = EngineOptions.Number("--epochs", "How often the file is trained on.", 3, 1);
    private static readonly Option<int> BatchSize = EngineOptions.Number("--batch-size", "Examples of a step.", 1, 1);
    private static readonly Option<double?> LearningRate = Real("--learning-rate", "Peak learning rate. Default 2e-4, with --full 2e-5.");
    private static readonly Option<string> Schedule = EngineOptions.Choice(
        "--schedule", "How the rate goes after warm-up:", "linear", "constant", "linear", "cosine");

    private static readonly Option<int> WarmupSteps = EngineOptions.Number("--warmup-steps", "Steps over which the rate rises.", 0, 0);
    private static readonly Option<double?> WeightDecay = Real("--weight-decay", "Decoupled weight decay. Default 0.");
    private static readonly Option<double?> Clip = Real("--clip", "Largest norm of the gradient; 0 for no limit. Default 1.");

    private static readonly Option<ulong> Seed = new("--seed")
    {
        Description = "Seed of everything random. Default 0.",
        HelpName = "N",
        DefaultValueFactory = _ => 0UL,
    };

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        Option<bool> json = Verb.Json();
        return Verb.Of("train", "Train a model without a server.", shell, async (parsed, cancellation) =>
        {
            SupervisedOptions options = Read(parsed);
            string target = EmptyFolder(parsed.GetRequiredValue(Target));
            string folder = parsed.GetRequiredValue(Input.Model);
            using BaseModel model = BaseModel.Load(folder);
            ModelText text = ModelText.Load(folder);
            int limit = Input.Limit(parsed, model.Config);
            List<TokenizedExample> train = await ExamplesAsync(shell, parsed.GetRequiredValue(Input.Data), text, limit, cancellation);
            List<TokenizedExample> validation = parsed.GetValue(Validation) is string file
                ? await ExamplesAsync(shell, file, text, limit, cancellation)
                : [];
            using var compute = new CpuCompute(Engine.Compute(parsed));
            if (parsed.GetValue(json) || !shell.OutIsTerminal)
            {
                Supervised.Run(
                    model, compute, train, validation, options, new LineObserver(shell, target, parsed.GetValue(json)), null, cancellation);
            }
            else
            {
                RunLive(shell, observer =>
                    Supervised.Run(model, compute, train, validation, options, observer, null, cancellation), target, folder);
            }

            if (!parsed.GetValue(json))
            {
                shell.Out.WriteLine($"Saved the {(options.Lora is null && options.AdapterFolder is null ? "model" : "adapter")} to {target}");
            }

            return Root.Done;
        }, Input.Model, Input.Data, Validation, Target, Full, Rank, Alpha, Targets, Dropout, Adapter, Epochs, BatchSize, LearningRate, Schedule,
            WarmupSteps, WeightDecay, Clip, Input.MaxLength, Seed, Engine.Precision, Engine.Threads, Engine.Memory, json);
    }

    private static SupervisedOptions Read(ParseResult parsed)
    {
        Engine.RequirePrecision(parsed);
        bool full = parsed.GetValue(Full);
        string? adapter = parsed.GetValue(Adapter);
        Option[] shape = [Rank, Alpha, Targets, Dropout];
        Option? given = shape.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
        if (full && (given ?? (adapter is null ? null : Adapter)) is Option contradiction)
        {
            throw new UsageException($"{contradiction.Name} is for adapters; --full trains without one.");
        }

        if (adapter is not null && given is not null)
        {
            throw new UsageException($"{given.Name} cannot be changed when going on from an adapter.");
        }

        int rank = parsed.GetValue(Rank);
        return Checked(() =>
        {
            var options = new SupervisedOptions
            {
                Lora = full || adapter is not null ? null : new LoraOptions
                {
                    Rank = rank,
                    Alpha = parsed.GetValue(Alpha) ?? 2 * rank,
                    Targets = LoraOptions.ParseTargets(parsed.GetRequiredValue(Targets)),
                    Dropout = (float)(parsed.GetValue(Dropout) ?? 0),
                },
                AdapterFolder = adapter,
                Epochs = parsed.GetValue(Epochs),
                BatchSize = parsed.GetValue(BatchSize),
                LearningRate = parsed.GetValue(LearningRate) ?? (full ? 2e-5 : 2e-4),
                Schedule = Enum.Parse<ScheduleKind>(parsed.GetRequiredValue(Schedule), ignoreCase: true),
                WarmupSteps = parsed.GetValue(WarmupSteps),
                WeightDecay = parsed.GetValue(WeightDecay) ?? 0,
                ClipNorm = parsed.GetValue(Clip) ?? 1,
                Seed = parsed.GetValue(Seed),
                MemoryBytes = Engine.MemoryBytes(parsed),
            };
            options.Validate();
            options.Lora?.Validate();
            return options;
        });
    }

    private static SupervisedOptions Checked(Func<SupervisedOptions> read)
    {
        try
        {
            return read();
        }
        catch (ArgumentException fault)
        {
            throw new UsageException(fault.Message);
        }
    }

    private static async Task<List<TokenizedExample>> ExamplesAsync(
        Shell shell, string path, ModelText text, int limit, CancellationToken cancellation)
    {
        List<TokenizedExample> examples = await ModelData.ReadAsync(path, text, limit, cancellation);
        ModelData.TellTruncations(shell, path, examples, limit);
        return examples;
    }

    // What lies in a folder that is not empty might be somebody's only copy, and half of it would be mixed with the new files.
    private static string EmptyFolder(string path)
    {
        if (File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()))
        {
            throw new InvalidDataException($"--out {path} is not empty. Name a new folder.");
        }

        Directory.CreateDirectory(path);
        return path;
    }

    private static void RunLive(Shell shell, Action<IRunObserver> train, string target, string model)
    {
        var view = new TrainingView { Title = Path.GetFileName(Path.TrimEndingDirectorySeparator(model)), Status = "training" };
        shell.OutConsole().Live(new Text("")).Start(live =>
            train(new LiveObserver(view, () => live.UpdateTarget(view.Render(shell.Columns)), shell.Time, target)));
    }

    private static Option<double?> Real(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result => double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out double value)
            ? value
            : Refuse(result, $"{name} wants a number, not '{result.Tokens[0].Value}'"),
    };

    private static double? Refuse(System.CommandLine.Parsing.ArgumentResult result, string message)
    {
        result.AddError(message);
        return null;
    }
}
