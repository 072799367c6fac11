using Anneal.Engine.Checkpoints;
using Anneal.Engine.Methods;

namespace Anneal.Engine.Tests.Methods;

/// <summary>Remembers what a run reported; saves weights and states where it is told to.</summary>
internal sealed class RecordingObserver : IRunObserver
{
    public MemoryPlan? Plan { get; private set; }

    public List<StepMetrics> Steps { get; } = [];

    public List<EvaluationMetrics> Evaluations { get; } = [];

    /// <summary>Folder that receives the weights of each epoch, the last one's in the end.</summary>
    public string? WeightsFolder { get; init; }

    /// <summary>File that receives the run state after <see cref="StateStep"/>.</summary>
    public string? StateFile { get; init; }

    public int StateStep { get; init; }

    public Action<StepMetrics>? OnStep { get; init; }

    public void Planned(MemoryPlan plan) => Plan = plan;

    public void StepDone(in StepMetrics metrics)
    {
        Steps.Add(metrics);
        OnStep?.Invoke(metrics);
    }

    public void Evaluated(in EvaluationMetrics metrics) => Evaluations.Add(metrics);

    public void EpochEnded(int epoch, int step, ITrainedWeights weights)
    {
        if (WeightsFolder is not null)
        {
            weights.Save(WeightsFolder);
        }
    }

    public bool WantsRunState(int step) => StateFile is not null && step == StateStep;

    public void RunStateReady(RunState state, ITrainedWeights weights) => state.Save(StateFile!);
}
