using System.Diagnostics;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Methods;

/// <summary>What to measure.</summary>
public sealed record ThroughputOptions
{
    /// <summary>Train an adapter of this shape; null: every weight.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Examples of a step.</summary>
    public int Batch { get; init; } = 4;

    /// <summary>Tokens of an example.</summary>
    public int Sequence { get; init; } = 256;

    /// <summary>
    /// Chats: examples of an eighth of <see cref="Sequence"/> to all of it, with a loss on the last third; otherwise every
    /// example has <see cref="Sequence"/> tokens, all trained.
    /// </summary>
    public bool Chat { get; init; }

    /// <summary>Steps that count.</summary>
    public int Steps { get; init; } = 10;

    /// <summary>Steps before those.</summary>
    public int Warmup { get; init; } = 2;

    /// <summary>Memory of the run.</summary>
    public long MemoryBytes { get; init; } = 8L << 30;

    /// <summary>Seed of tokens and lengths.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>What was measured. Rates are of the median step; of chats, whose sizes differ, of all steps together.</summary>
/// <param name="Description">The device.</param>
/// <param name="Parameters">All parameters, adapters not counted.</param>
/// <param name="TokensPerSecond">Tokens through the network.</param>
/// <param name="TrainedTokensPerSecond">Those with a loss.</param>
/// <param name="StepSeconds">The median step.</param>
/// <param name="GigaflopsPerSecond">Useful work: element-wise passes, the optimizer and recomputation count nothing.</param>
/// <param name="PeakGigaflopsPerSecond">The device's fastest large matrix product, measured in the same process.</param>
/// <param name="PeakMemoryBytes">High-water mark of the process's resident memory, before the peak was measured.</param>
/// <param name="Plan">How memory was divided.</param>
public sealed record ThroughputResult(
    string Description, long Parameters, double TokensPerSecond, double TrainedTokensPerSecond, double StepSeconds,
    double GigaflopsPerSecond, double PeakGigaflopsPerSecond, long PeakMemoryBytes, MemoryPlan Plan)
{
    /// <summary>Useful work as a share of the peak.</summary>
    public double ShareOfPeak => GigaflopsPerSecond / PeakGigaflopsPerSecond;
}

/// <summary>Measures the training loop itself, on made-up tokens: speed does not depend on what they are.</summary>
public static class ThroughputBenchmark
{
    /// <summary>Trains for some steps and measures them.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="compute">The device.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="cancellationToken">Gives up between two steps.</param>
    public static ThroughputResult Run(
        BaseModel model, ICompute compute, ThroughputOptions options, CancellationToken cancellationToken = default)
    {
        int total = options.Warmup + options.Steps;
        List<TokenizedExample> examples = MakeExamples(model.Config, options, total * options.Batch);
        SupervisedOptions supervised = new()
        {
            Lora = options.Lora,
            Epochs = 1,
            BatchSize = options.Batch,
            LearningRate = 1e-5,
            Schedule = ScheduleKind.Constant,
            Shuffle = false,
            ClipNorm = 1,
            MemoryBytes = options.MemoryBytes,
        };
        Recorder recorder = new();
        SupervisedResult run = Supervised.Run(model, compute, examples, [], supervised, recorder, null, cancellationToken);

        // Sizes are known by step, since nothing was shuffled.
        double[] seconds = [.. recorder.Seconds.Skip(options.Warmup)];
        List<TokenizedExample> counted = examples[(options.Warmup * options.Batch)..];
        double tokens = counted.Sum(e => (double)Positions(e, options)) / options.Steps;
        double trained = counted.Sum(e => (double)e.TrainedTokens) / options.Steps;
        double pairs = counted.Sum(e => (double)Positions(e, options) * Positions(e, options)) / options.Steps;
        double step = options.Chat ? seconds.Average() : Median(seconds);
        double flops = Flops(model.Config, options.Lora, tokens, trained, pairs);
        long peakMemory = Process.GetCurrentProcess().PeakWorkingSet64;
        return new ThroughputResult(
            compute.Description, model.Config.Parameters, tokens / step, trained / step, step, flops / step / 1e9,
            MatMulPeak.Measure(compute, c: cancellationToken).Max(rate => rate.GigaflopsPerSecond), peakMemory, run.Plan);
    }

    /// <summary>
    /// Floating-point operations of a step, a multiply-add being two: projections, head, attention over whole squares, adapters.
    /// LoRA's backward pass has no weight gradients, and no input gradient below the first block's q, k and v.
    /// </summary>
    /// <param name="config">The network.</param>
    /// <param name="lora">The adapter; null: full training.</param>
    /// <param name="tokens">T, positions of a step.</param>
    /// <param name="headRows">Positions that the head runs on.</param>
    /// <param name="pairs">Σ S² over the sequences.</param>
    public static double Flops(DecoderConfig config, LoraOptions? lora, double tokens, double headRows, double pairs)
    {
        double qkv = (double)config.HiddenSize * (config.QuerySize + (2 * config.KeyValueSize));
        double projections = config.Layers
            * (qkv + ((double)config.QuerySize * config.HiddenSize) + (3.0 * config.HiddenSize * config.IntermediateSize));
        double head = (double)config.VocabularySize * config.HiddenSize * headRows;
        double attention = 2.0 * config.QuerySize * pairs * config.Layers;
        double forward = (2 * projections * tokens) + (2 * head) + (2 * attention);
        if (lora is null)
        {
            return forward + (4 * projections * tokens) + (4 * head) + (4 * attention);
        }

        double adapters = LoraAdapter.Layout(config, lora).Sum(slot =>
        {
            (int rows, int columns) = config.Shape(slot.Projection);
            return (double)slot.Rank * (rows + columns);
        });
        int lowest = LoraAdapter.Layout(config, lora).Count(slot =>
            slot.Layer == 0 && slot.Projection is Projection.Query or Projection.Key or Projection.Value);
        return forward + (2 * (projections - qkv) * tokens) + (2 * head) + (4 * attention)
            + (6 * adapters * tokens) - (2.0 * lowest * lora.Rank * config.HiddenSize * tokens);
    }

    private static List<TokenizedExample> MakeExamples(DecoderConfig config, ThroughputOptions options, int count)
    {
        const ulong LengthStream = 1;
        const ulong TokenStream = 2;
        List<TokenizedExample> examples = new(count);
        ulong drawn = 0;
        for (int i = 0; i < count; i++)
        {
            int least = Math.Max(2, options.Sequence / 8);
            int length = options.Chat
                ? least + Philox.BelowAt(options.Seed, LengthStream, (ulong)i, options.Sequence - least + 1)
                : options.Sequence + 1;
            int[] ids = new int[length];
            float[] weights = new float[length];
            int trained = options.Chat ? Math.Max(1, (int)Math.Round((length - 1) / 3.0)) : options.Sequence;
            for (int t = 0; t < length; t++)
            {
                ids[t] = Philox.BelowAt(options.Seed, TokenStream, drawn++, config.VocabularySize);
                weights[t] = t >= length - trained ? 1 : 0;
            }

            examples.Add(new TokenizedExample(i + 1, ids, weights, length));
        }

        return examples;
    }

    // The token after the last position is a target only.
    private static int Positions(TokenizedExample example, ThroughputOptions options) =>
        options.Chat ? example.Ids.Length : example.Ids.Length - 1;

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private sealed class Recorder : IRunObserver
    {
        public List<double> Seconds { get; } = [];

        public void Planned(MemoryPlan plan)
        {
        }

        public void StepDone(in StepMetrics metrics) => Seconds.Add(metrics.Seconds);

        public void Evaluated(in EvaluationMetrics metrics)
        {
        }

        public void EpochEnded(int epoch, int step, ITrainedWeights weights)
        {
        }

        public bool WantsRunState(int step) => false;

        public void RunStateReady(Checkpoints.RunState state, ITrainedWeights weights)
        {
        }
    }
}
