using System.Diagnostics;
using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Data;
using Anneal.Engine.Lora;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Methods;

/// <summary>The loss or the gradient stopped being a number.</summary>
public sealed class TrainingDivergedException(int step, double loss, double gradientNorm)
    : Exception(FormattableString.Invariant(
        $"The run diverged at step {step}: loss {loss}, gradient norm {gradientNorm}. A smaller learning rate would help."))
{
    /// <summary>The step at which it happened.</summary>
    public int Step { get; } = step;
}

/// <summary>What a finished run amounts to.</summary>
/// <param name="Steps">Steps done in all, those before a resume included.</param>
/// <param name="Plan">Its memory plan.</param>
public sealed record SupervisedResult(int Steps, MemoryPlan Plan);

/// <summary>
/// Supervised fine-tuning, the whole loop: L = Σ w·(−log p) / Σ w over each step's examples, gradients accumulated over
/// micro-batches without padding, clipped, and applied by AdamW. The trained weights are handed out at the end of each epoch.
/// </summary>
public sealed class Supervised : IDisposable, ITrainedWeights
{
    private readonly BaseModel _model;
    private readonly ICompute _compute;
    private readonly SupervisedOptions _options;
    private readonly IRunObserver _observer;
    private readonly TokenizedExample[] _train;
    private readonly TokenizedExample[] _validation;
    private readonly int[] _trainRope;
    private readonly int[] _validationRope;
    private readonly ParameterSet _parameters;
    private readonly Arena _activations;
    private readonly Decoder _decoder;
    private readonly MemoryPlan _plan;
    private readonly Batches _batches;
    private readonly Packing _packing;
    private readonly MicroBatch _microBatch;
    private readonly LearningRateSchedule _schedule;
    private readonly float _dropout;
    private readonly int[] _lengths;
    private readonly float[] _coefficients;
    private readonly float[] _logProbabilities;
    private readonly int[] _predicted;

    private Supervised(
        BaseModel model, ICompute compute, IReadOnlyList<TokenizedExample> train, IReadOnlyList<TokenizedExample> validation,
        SupervisedOptions options, IRunObserver observer, int? microBatchTokens)
    {
        options.Validate();
        _model = model;
        _compute = compute;
        _options = options;
        _observer = observer;
        _train = Trainable(train, model.Config);
        _validation = Trainable(validation, model.Config);
        if (_train.Length == 0)
        {
            throw new ArgumentException("No example has a token to train on.", nameof(train));
        }

        _trainRope = RopeLengths.Of(model.Config.Rope, _train, repeated: true);
        _validationRope = RopeLengths.Of(model.Config.Rope, _validation, repeated: true);
        _batches = new Batches(_train.Length, options.BatchSize, options.Seed, options.Shuffle);
        int totalSteps = checked(_batches.StepsPerEpoch * options.Epochs);
        _schedule = new LearningRateSchedule(options.Schedule, options.WarmupSteps, totalSteps);

        using TrainingStart start = TrainingStart.Of(model, compute, options);
        _dropout = start.Dropout;
        MemoryRequest request = new(
            model.Config, start.MaxRank, start.Dropout > 0, start.WeightBytes, start.ParameterBytes, Longest(), LargestStep(),
            options.MemoryBytes);
        (DecoderRoom room, long activationBytes) = MemoryPlanner.Plan(request, microBatchTokens);
        _plan = new MemoryPlan(
            room.Tokens, room.Slots, model.Config.Layers, start.WeightBytes, start.ParameterBytes, activationBytes,
            options.MemoryBytes, totalSteps, train.Count - _train.Length);

        _parameters = start.CreateParameters();
        _activations = compute.CreateArena(activationBytes);
        DecoderMemory memory = new(model.Config, room, (rows, columns) => _activations.Allocate(rows, columns));
        _decoder = new Decoder(compute, model.Config, _parameters.Parameters, memory);

        int maxExamples = Math.Max(options.BatchSize, _validation.Length);
        _packing = new Packing(room.Tokens, maxExamples);
        _lengths = new int[maxExamples];
        _microBatch = new MicroBatch(room.Tokens, maxExamples);
        _coefficients = new float[room.Tokens];
        _logProbabilities = new float[room.Tokens];
        _predicted = new int[room.Tokens];
    }

    /// <summary>Trains.</summary>
    /// <param name="model">The base; not changed.</param>
    /// <param name="compute">The device.</param>
    /// <param name="train">Examples, already cut to the length that is wanted.</param>
    /// <param name="validation">Examples to measure on; may be empty.</param>
    /// <param name="options">How.</param>
    /// <param name="observer">Is told everything, and stores what comes out.</param>
    /// <param name="resumeFrom">A file written by <see cref="RunState.Save"/> in this same run, to go on from.</param>
    /// <param name="cancellationToken">Ends the run between two steps.</param>
    /// <exception cref="ArgumentException">An option or the data make no sense.</exception>
    /// <exception cref="MemoryLimitException">The run does not fit.</exception>
    /// <exception cref="TrainingDivergedException">The loss is not a number any more.</exception>
    /// <exception cref="InvalidDataException">The adapter or the run state does not belong to this run.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; no step was left half done.</exception>
    public static SupervisedResult Run(
        BaseModel model, ICompute compute, IReadOnlyList<TokenizedExample> train, IReadOnlyList<TokenizedExample> validation,
        SupervisedOptions options, IRunObserver observer, string? resumeFrom = null, CancellationToken cancellationToken = default)
    {
        RunStateHeader? state = resumeFrom is null ? null : RunState.Inspect(resumeFrom);
        using Supervised run = new(model, compute, train, validation, options, observer, state?.MicroBatchTokens);
        return run.Train(resumeFrom, state, cancellationToken);
    }

    /// <inheritdoc/>
    public void Save(string folder)
    {
        if (_parameters.Parameters.Adapter is { } adapter)
        {
            LoraCheckpoint.Save(folder, adapter, _model.Folder, _compute);
        }
        else
        {
            ModelFolder.Save(folder, _model, name => _parameters.ByName[name].Value, DType.F32, _compute);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _activations.Dispose();
        _parameters.Dispose();
    }

    private static TokenizedExample[] Trainable(IReadOnlyList<TokenizedExample> examples, DecoderConfig config)
    {
        foreach (TokenizedExample example in examples)
        {
            foreach (int id in example.Ids)
            {
                if ((uint)id >= (uint)config.VocabularySize)
                {
                    throw new ArgumentException(
                        $"Line {example.Line}: token {id} is outside the model's vocabulary of {config.VocabularySize}.");
                }
            }
        }

        return [.. examples.Where(example => MicroBatch.NeededTokens(example) > 0)];
    }

    private SupervisedResult Train(string? resumeFrom, RunStateHeader? state, CancellationToken cancellationToken)
    {
        string fingerprint = RunFingerprint.Of(_model, _options, _train);
        if (state is not null)
        {
            RunState.Load(resumeFrom!, state, fingerprint, _compute, _parameters.Tensors);
        }

        _observer.Planned(_plan);
        for (int step = (state?.Step ?? 0) + 1; step <= _plan.TotalSteps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            StepMetrics metrics = Step(step);
            bool epochEnds = step % _batches.StepsPerEpoch == 0;
            if (_validation.Length > 0)
            {
                if (_options.ValidationInterval > 0 && step % _options.ValidationInterval == 0)
                {
                    _observer.Evaluated(EvaluateBatch(step));
                }

                if (epochEnds)
                {
                    _observer.Evaluated(EvaluateAll(step));
                }
            }

            _observer.StepDone(metrics);
            if (epochEnds)
            {
                _observer.EpochEnded(metrics.Epoch, step, this);
            }

            if (_observer.WantsRunState(step))
            {
                _observer.RunStateReady(
                    new RunState(step, _plan.MicroBatchTokens, fingerprint, _compute, _parameters.Tensors), this);
            }
        }

        return new SupervisedResult(_plan.TotalSteps, _plan);
    }

    /// <summary>One optimizer step. In steady state it allocates nothing on the managed heap.</summary>
    private StepMetrics Step(int step)
    {
        long started = Stopwatch.GetTimestamp();
        ReadOnlySpan<int> batch = _batches.Of(step);
        double weightSum = 0;
        int tokens = 0;
        for (int i = 0; i < batch.Length; i++)
        {
            TokenizedExample example = _train[batch[i]];
            _lengths[i] = MicroBatch.NeededTokens(example);
            tokens += example.Ids.Length;
            weightSum += WeightSum(example);
        }

        _packing.Pack(_lengths.AsSpan(0, batch.Length));
        _parameters.ClearGradients();
        Totals totals = default;
        for (int bin = 0; bin < _packing.Count; bin++)
        {
            Fill(bin, _train, _trainRope, batch);
            ReadOnlySpan<float> weights = _microBatch.Weights;
            for (int i = 0; i < weights.Length; i++)
            {
                _coefficients[i] = (float)(-weights[i] / weightSum);
            }

            int n = weights.Length;
            DropoutDraw draw = new(_dropout, _options.Seed, ((ulong)step << 32) | ((ulong)bin << 16));
            _decoder.Forward(_microBatch, draw);
            _decoder.Backward(_logProbabilities.AsSpan(0, n), _predicted.AsSpan(0, n), _coefficients.AsSpan(0, n), _microBatch);
            totals.Add(_microBatch, _logProbabilities, _predicted);
        }

        double rate = _options.LearningRate * _schedule.Factor(step);
        double norm = Update(step, rate);
        double loss = totals.WeightedNegativeLogProbability / weightSum;
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
        {
            throw new TrainingDivergedException(step, loss, norm);
        }

        return new StepMetrics(
            step, _plan.TotalSteps, ((step - 1) / _batches.StepsPerEpoch) + 1, loss, totals.Accuracy, norm,
            rate, tokens, totals.Trained, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private double Update(int step, double rate)
    {
        double norm = _parameters.GradientNorm();
        if (!double.IsFinite(norm))
        {
            // Nothing may be spoilt: the parameters stay what they were before this step.
            return norm;
        }

        double clip = _options.ClipNorm > 0 ? Math.Min(1, _options.ClipNorm / (norm + 1e-6)) : 1;
        _parameters.Step(new AdamWStep(
            rate, _options.Beta1, _options.Beta2, _options.Epsilon, _options.WeightDecay, clip, step));
        return norm;
    }

    /// <summary>One batch of the validation examples, the next one each time.</summary>
    private EvaluationMetrics EvaluateBatch(int step)
    {
        int count = Math.Min(_options.BatchSize, _validation.Length);
        int start = (int)((step / _options.ValidationInterval - 1L) * count % _validation.Length);
        int[] indices = [.. Enumerable.Range(0, count).Select(i => (start + i) % _validation.Length)];
        return Evaluate(step, full: false, indices);
    }

    private EvaluationMetrics EvaluateAll(int step) =>
        Evaluate(step, full: true, [.. Enumerable.Range(0, _validation.Length)]);

    private EvaluationMetrics Evaluate(int step, bool full, int[] indices)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            _lengths[i] = MicroBatch.NeededTokens(_validation[indices[i]]);
        }

        _packing.Pack(_lengths.AsSpan(0, indices.Length));
        Totals totals = default;
        for (int bin = 0; bin < _packing.Count; bin++)
        {
            Fill(bin, _validation, _validationRope, indices);
            int n = _microBatch.Rows;
            _decoder.Forward(_microBatch);
            _decoder.Evaluate(_logProbabilities.AsSpan(0, n), _predicted.AsSpan(0, n), _microBatch);
            totals.Add(_microBatch, _logProbabilities, _predicted);
        }

        return new EvaluationMetrics(step, full, totals.WeightedNegativeLogProbability / totals.Weight, totals.Accuracy);
    }

    private void Fill(int bin, TokenizedExample[] examples, int[] ropeLengths, ReadOnlySpan<int> indices)
    {
        _microBatch.Clear();
        for (int i = 0; i < indices.Length; i++)
        {
            if (_packing.BinOf(i) == bin)
            {
                _microBatch.AddExample(examples[indices[i]], ropeLengths[indices[i]]);
            }
        }
    }

    private int Longest() => _train.Concat(_validation).Max(MicroBatch.NeededTokens);

    /// <summary>Tokens of the largest step there can be: the longest examples together, as shuffles differ by epoch.</summary>
    private int LargestStep()
    {
        long tokens = _train.Select(MicroBatch.NeededTokens).OrderDescending().Take(_options.BatchSize).Sum(n => (long)n);
        return (int)Math.Min(tokens, int.MaxValue);
    }

    private static double WeightSum(TokenizedExample example)
    {
        double sum = 0;
        for (int t = 1; t < example.Weights.Length; t++)
        {
            sum += example.Weights[t];
        }

        return sum;
    }

    private struct Totals
    {
        public double WeightedNegativeLogProbability;
        public double Weight;
        public int Trained;
        private double _correct;

        public readonly double Accuracy => Weight == 0 ? 0 : _correct / Weight;

        public void Add(MicroBatch batch, ReadOnlySpan<float> logProbabilities, ReadOnlySpan<int> predicted)
        {
            ReadOnlySpan<float> weights = batch.Weights;
            ReadOnlySpan<int> targets = batch.Targets;
            for (int i = 0; i < weights.Length; i++)
            {
                WeightedNegativeLogProbability -= (double)weights[i] * logProbabilities[i];
                Weight += weights[i];
                _correct += predicted[i] == targets[i] ? weights[i] : 0;
            }

            Trained += weights.Length;
        }
    }
}
