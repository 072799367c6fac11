using Anneal.Engine.Checkpoints;

namespace Anneal.Engine.Methods;

/// <summary>What one step did.</summary>
/// <param name="Step">Number of the step, from 1.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Epoch">Epoch the step belongs to, from 1.</param>
/// <param name="Loss">Σ w·(−log p) / Σ w over the step, before its update.</param>
/// <param name="TokenAccuracy">Σ w·[the likeliest prediction was right] / Σ w.</param>
/// <param name="GradientNorm">Euclidean norm over all trained parameters, before clipping.</param>
/// <param name="LearningRate">Rate used in this step.</param>
/// <param name="Tokens">Tokens of the step's examples.</param>
/// <param name="TrainedTokens">Those whose prediction counted.</param>
/// <param name="Seconds">Time of the step.</param>
public readonly record struct StepMetrics(
    int Step, int TotalSteps, int Epoch, double Loss, double TokenAccuracy, double GradientNorm, double LearningRate,
    int Tokens, int TrainedTokens, double Seconds);

/// <summary>Loss and accuracy on validation data.</summary>
/// <param name="Step">The step after which it was measured.</param>
/// <param name="Full">Whether all validation examples were used, or one batch of them.</param>
/// <param name="Loss">As in <see cref="StepMetrics"/>.</param>
/// <param name="TokenAccuracy">As in <see cref="StepMetrics"/>.</param>
public readonly record struct EvaluationMetrics(int Step, bool Full, double Loss, double TokenAccuracy);

/// <summary>How the memory of a run is divided.</summary>
/// <param name="MicroBatchTokens">Most tokens that go through the network at once.</param>
/// <param name="KeptBlocks">Decoder blocks whose activations are kept for the backward pass.</param>
/// <param name="Blocks">All decoder blocks; the others are computed again.</param>
/// <param name="WeightBytes">The base model's file, memory-mapped.</param>
/// <param name="ParameterBytes">What is trained, with gradients and the optimizer's moments.</param>
/// <param name="ActivationBytes">Activations and scratch.</param>
/// <param name="LimitBytes">The limit it was planned for.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="SkippedExamples">Examples left out because no token of theirs is trained.</param>
public sealed record MemoryPlan(
    int MicroBatchTokens, int KeptBlocks, int Blocks, long WeightBytes, long ParameterBytes, long ActivationBytes,
    long LimitBytes, int TotalSteps, int SkippedExamples)
{
    /// <summary>Everything together.</summary>
    public long TotalBytes => WeightBytes + ParameterBytes + ActivationBytes;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"{TotalBytes / 1e9:0.00} GB of {LimitBytes / 1e9:0.00} GB: weights {WeightBytes / 1e9:0.00}, ") +
        FormattableString.Invariant($"trained parameters {ParameterBytes / 1e9:0.00}, activations {ActivationBytes / 1e9:0.00}; ") +
        FormattableString.Invariant($"up to {MicroBatchTokens} tokens at once, {KeptBlocks} of {Blocks} blocks kept");
}

/// <summary>The weights of a run at one moment; valid only during the call that hands it out.</summary>
public interface ITrainedWeights
{
    /// <summary>Writes an adapter (PEFT's format) or a whole model (Hugging Face layout) into an empty or absent folder.</summary>
    void Save(string folder);
}

/// <summary>Follows a run. All calls come from the training thread, between steps; an exception ends the run.</summary>
public interface IRunObserver
{
    /// <summary>Before the first step, once the memory is planned.</summary>
    void Planned(MemoryPlan plan);

    /// <summary>After each step.</summary>
    void StepDone(in StepMetrics metrics);

    /// <summary>After each evaluation; comes before the <see cref="StepDone"/> of the same step.</summary>
    void Evaluated(in EvaluationMetrics metrics);

    /// <summary>After the last step of an epoch, and after its evaluation.</summary>
    void EpochEnded(int epoch, int step, ITrainedWeights weights);

    /// <summary>Asked after each step: whether a run state is wanted now.</summary>
    bool WantsRunState(int step);

    /// <summary>
    /// A state from which the run can go on bit for bit, and the weights of the same moment, for whoever stops here. Both are
    /// valid during this call.
    /// </summary>
    void RunStateReady(RunState state, ITrainedWeights weights);
}
