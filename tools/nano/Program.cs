using Anneal.Engine.Compute;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Nano;
using Anneal.Nano.Corpus;
using Anneal.Nano.Samples;
using Anneal.Nano.Training;

using CancellationTokenSource interrupted = new();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    interrupted.Cancel();
};
try
{
    Arguments arguments = Arguments.Parse(args);
    PretrainingOptions recipe = Recipe(arguments);
    switch (arguments.Command)
    {
        case "pretrain":
            arguments.RequireAllUsed();
            Pretraining.Run(recipe, Console.Out, interrupted.Token);
            using (CpuCompute compute = new(new ComputeOptions { Threads = recipe.Threads }))
            {
                await ModelCard.Measure(recipe, compute, Console.Out);
            }
            break;
        case "eval":
            arguments.RequireAllUsed();
            using (CpuCompute compute = new(new ComputeOptions { Threads = recipe.Threads }))
            {
                await ModelCard.Measure(recipe, compute, Console.Out);
            }
            break;
        case "trial":
            SupervisedOptions tuning = Tuning(arguments);
            string samples = arguments.Text("samples", "samples");
            arguments.RequireAllUsed();
            using (CpuCompute compute = new(new ComputeOptions { Threads = recipe.Threads }))
            {
                TicketTrial.Run(recipe.Out, samples, Path.Combine(recipe.Work, "trial"), tuning, compute, Console.Out);
            }
            break;
        case "corpus":
            int first = arguments.Number("first", 0), count = arguments.Number("count", 20);
            string kind = arguments.Text("kind", "");
            arguments.RequireAllUsed();
            CorpusText.Print(Console.Out, recipe.Seed, first, count, kind);
            break;
        case "samples":
            string folder = arguments.Text("samples", "samples");
            arguments.RequireAllUsed();
            TicketSamples.Write(folder, seed: 7);
            break;
        default:
            throw new ArgumentException($"'{arguments.Command}' is no command; there are pretrain, eval, trial, corpus, samples.");
    }
    return 0;
}
catch (Exception fault) when (fault is InvalidDataException or IOException)
{
    Console.Error.WriteLine(fault.Message);
    return 1;
}
catch (ArgumentException fault)
{
    Console.Error.WriteLine($"{fault.Message} tools/nano/README.md explains the commands.");
    return 2;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped. The same command goes on from the last saved state.");
    return 130;
}

static PretrainingOptions Recipe(Arguments arguments)
{
    PretrainingOptions recipe = new();
    return recipe with
    {
        Out = arguments.Text("out", recipe.Out),
        Work = arguments.Text("work", recipe.Work),
        Chapters = arguments.Number("chapters", recipe.Chapters),
        ChapterDocuments = arguments.Number("chapter-documents", recipe.ChapterDocuments),
        LastDocuments = arguments.Number("last-documents", recipe.LastDocuments),
        LearningRate = arguments.Real("learning-rate", recipe.LearningRate),
        Threads = arguments.Number("threads", recipe.Threads),
    };
}

static SupervisedOptions Tuning(Arguments arguments)
{
    int rank = arguments.Number("rank", 16);
    return new SupervisedOptions
    {
        Lora = new LoraOptions { Rank = rank, Alpha = arguments.Real("alpha", 2 * rank) },
        Epochs = arguments.Number("epochs", 4),
        BatchSize = arguments.Number("batch-size", 8),
        LearningRate = arguments.Real("tuning-rate", 2e-3),
        Schedule = ScheduleKind.Linear,
        WarmupSteps = arguments.Number("warmup-steps", 5),
        Seed = (ulong)arguments.Number("tuning-seed", 1),
    };
}
