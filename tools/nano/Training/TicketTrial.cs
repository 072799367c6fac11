using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Text;
using Anneal.Nano.Corpus;

namespace Anneal.Nano.Training;

/// <summary>
/// Tunes a model on the quickstart's tickets and measures the held-out ones, without server and worker: for choosing
/// hyperparameters, and for seeing what a change of the recipe does to the quickstart.
/// </summary>
internal static class TicketTrial
{
    /// <summary>Trains an adapter and prints the share of right answers before, after each epoch, and the time.</summary>
    public static void Run(
        string modelFolder, string samples, string work, SupervisedOptions options, ICompute compute, TextWriter log)
    {
        using BaseModel model = BaseModel.Load(modelFolder);
        CorpusStream text = new(Tokenizer.Load(Path.Combine(modelFolder, "tokenizer.json")), 0);
        TokenizedExample[] train = Read(text, Path.Combine(samples, "support-train.jsonl"));
        TokenizedExample[] valid = Read(text, Path.Combine(samples, "support-valid.jsonl"));
        TokenizedExample[] test = Read(text, Path.Combine(samples, "support-test.jsonl"));
        log.WriteLine($"{train.Length} tickets, {train.Sum(e => e.Ids.Length)} tokens; base: {Accuracy(model, compute, null, test):P1} of {test.Length} right");
        Directory.CreateDirectory(work);
        Observer observer = new(work, log, folder =>
        {
            using LoraAdapter loaded = LoraCheckpoint.Load(folder, model.Config, compute);
            return (Accuracy(model, compute, loaded, valid), Accuracy(model, compute, loaded, test));
        });
        Supervised.Run(model, compute, train, valid, options, observer);
        log.WriteLine($"training took {observer.Seconds:0.0} s");
    }

    private static double Accuracy(BaseModel model, ICompute compute, LoraAdapter? adapter,
        TokenizedExample[] examples) =>
        Scoring.Run(model, compute, adapter, examples).Examples.Count(Evaluation.IsExact) / (double)examples.Length;

    private static TokenizedExample[] Read(CorpusStream text, string path) =>
    [
        .. File.ReadLines(path).Select((line, index) => text.Tokenize(
            new Document("ticket", [.. JsonNode.Parse(line)!["messages"]!.AsArray().Select(m => new Turn((string)m!["role"]!, (string)m["content"]!))]),
            index + 1, answersOnly: true)),
    ];

    private sealed class Observer(string work, TextWriter log, Func<string, (double Valid, double Test)> measure)
        : IRunObserver
    {
        private double _loss;
        private int _steps;

        /// <summary>Time of all steps, without the measurements.</summary>
        public double Seconds { get; private set; }

        public void Planned(MemoryPlan plan) => log.WriteLine($"{plan.TotalSteps} steps; {plan}");

        public void StepDone(in StepMetrics metrics)
        {
            Seconds += metrics.Seconds;
            _loss += metrics.Loss;
            _steps++;
        }

        public void Evaluated(in EvaluationMetrics metrics) => log.Write($"validation loss {metrics.Loss:0.0000}; ");

        public void EpochEnded(int epoch, int step, ITrainedWeights weights)
        {
            string folder = Path.Combine(work, $"epoch-{epoch}");
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
            weights.Save(folder);
            (double valid, double test) = measure(folder);
            log.WriteLine($"epoch {epoch}: training loss {_loss / _steps:0.0000}, right: {valid:P1} of validation, {test:P1} of test, {Seconds:0.0} s");
            (_loss, _steps) = (0, 0);
        }

        public bool WantsRunState(int step) => false;

        public void RunStateReady(RunState state, ITrainedWeights weights) => throw new InvalidOperationException("No state was asked for.");
    }
}
