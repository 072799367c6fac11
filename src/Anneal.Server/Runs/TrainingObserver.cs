using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Methods;
using Anneal.Jobs;

namespace Anneal.Server.Runs;

/// <summary>
/// Turns what the engine tells into what the server stores: an event a step, a checkpoint an epoch, a run state now and then.
/// When the run is asked to let go, it saves what the next run needs and ends the training between two steps.
/// </summary>
internal sealed class TrainingObserver(
    RunReporter reporter, StopSignal stop, TimeSpan stateInterval, string scratch, TimeProvider time)
    : IRunObserver, IDisposable
{
    /// <summary>Steps before the first estimate; the very first one is slow, because the program warms up.</summary>
    private const int EstimateStepsMin = 3;

    /// <summary>Ours alone: what people watch a run by. A checkpoint's metrics do not have it.</summary>
    private const string Speed = "tokens_per_second";

    private readonly CancellationTokenSource _letGo = new();
    private EvaluationMetrics? _batch;
    private EvaluationMetrics? _full;
    private JsonElement _metrics;
    private MemoryPlan? _plan;
    private long _lastState = time.GetTimestamp();
    private long _firstStepDone;
    private int _stepsDone;
    private bool _epochEnded;
    private int _lastCheckpoint;

    /// <summary>Cancelled once everything that the next run needs is on its way to the server.</summary>
    public CancellationToken LetGo => _letGo.Token;

    /// <summary>The job was paused, or the worker is asked to stop.</summary>
    public bool Unwanted => stop.Requested || reporter.Directive == RunDirective.Pause;

    /// <inheritdoc/>
    public void Planned(MemoryPlan plan)
    {
        _plan = plan;
        if (plan.SkippedExamples > 0)
        {
            reporter.Event(EventLevel.Warn, string.Create(
                CultureInfo.InvariantCulture,
                $"{plan.SkippedExamples} examples have nothing to train on after truncation and are left out"));
        }
    }

    /// <inheritdoc/>
    public void Evaluated(in EvaluationMetrics metrics)
    {
        if (metrics.Full)
        {
            _full = metrics;
        }
        else
        {
            _batch = metrics;
        }
    }

    /// <inheritdoc/>
    public void StepDone(in StepMetrics metrics)
    {
        JsonObject data = new()
        {
            ["step"] = metrics.Step,
            ["total_steps"] = metrics.TotalSteps,
            ["train_loss"] = metrics.Loss,
            ["train_mean_token_accuracy"] = metrics.TokenAccuracy,
            [Speed] = Math.Round(metrics.Tokens / metrics.Seconds, 1),
        };
        string message = string.Create(
            CultureInfo.InvariantCulture, $"Step {metrics.Step}/{metrics.TotalSteps}: training loss={metrics.Loss:0.00}");
        if (_batch is { } batch)
        {
            data["valid_loss"] = batch.Loss;
            data["valid_mean_token_accuracy"] = batch.TokenAccuracy;
            message += string.Create(CultureInfo.InvariantCulture, $", validation loss={batch.Loss:0.00}");
        }
        if (_full is { } full)
        {
            data["full_valid_loss"] = full.Loss;
            data["full_valid_mean_token_accuracy"] = full.TokenAccuracy;
            message += string.Create(CultureInfo.InvariantCulture, $", full validation loss={full.Loss:0.00}");
        }
        (_batch, _full, _epochEnded) = (null, null, false);
        _metrics = Element(data);
        reporter.Event(EventLevel.Info, message, metrics.Step, _metrics);
        reporter.SetProgress(metrics.Step, SecondsLeft(metrics));
    }

    /// <inheritdoc/>
    public void EpochEnded(int epoch, int step, ITrainedWeights weights)
    {
        _epochEnded = true;
        SaveCheckpoint(step, weights);
    }

    /// <inheritdoc/>
    public bool WantsRunState(int step)
    {
        if (Unwanted)
        {
            return true;
        }
        if (reporter.StateWaiting)
        {
            return false;
        }

        // The end of an epoch is a good moment, unless epochs are so short that states would be all there is to do.
        TimeSpan since = time.GetElapsedTime(_lastState);
        return since >= stateInterval || (_epochEnded && since >= stateInterval / 10);
    }

    /// <inheritdoc/>
    public void RunStateReady(RunState state, ITrainedWeights weights)
    {
        string path = Path.Combine(scratch, string.Create(CultureInfo.InvariantCulture, $"state-{state.Step}"));
        state.Save(path);
        _lastState = time.GetTimestamp();
        reporter.State(state.Step, path);
        if (!Unwanted)
        {
            return;
        }
        if (!stop.Requested && _lastCheckpoint != state.Step)
        {
            // A paused job can be called as it stands.
            SaveCheckpoint(state.Step, weights);
        }
        _letGo.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose() => _letGo.Dispose();

    private void SaveCheckpoint(int step, ITrainedWeights weights)
    {
        string folder = Path.Combine(scratch, string.Create(CultureInfo.InvariantCulture, $"checkpoint-{step}"));
        weights.Save(folder);
        reporter.Checkpoint(folder, step, final: step == _plan!.TotalSteps, CheckpointMetrics());
        _lastCheckpoint = step;
    }

    /// <summary>The step's metrics without what is no measurement of the model.</summary>
    private JsonElement CheckpointMetrics()
    {
        JsonObject metrics = JsonObject.Create(_metrics)!;
        metrics.Remove("total_steps");
        metrics.Remove(Speed);
        return Element(metrics);
    }

    private double? SecondsLeft(in StepMetrics metrics)
    {
        if (++_stepsDone == 1)
        {
            _firstStepDone = time.GetTimestamp();
        }
        if (_stepsDone < EstimateStepsMin)
        {
            return null;
        }

        // Measured from step to step, so evaluations, checkpoints and run states are in it.
        double secondsPerStep = time.GetElapsedTime(_firstStepDone).TotalSeconds / (_stepsDone - 1);
        return secondsPerStep * (metrics.TotalSteps - metrics.Step);
    }

    private static JsonElement Element(JsonObject json)
    {
        using JsonDocument document = JsonDocument.Parse(json.ToJsonString());
        return document.RootElement.Clone();
    }
}
