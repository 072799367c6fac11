using System.Globalization;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Methods;

namespace Anneal.Nano.Training;

/// <summary>Writes the log of a pre-training run and keeps its state on the disk.</summary>
internal sealed class PretrainingObserver : IRunObserver
{
    private readonly PretrainingOptions _options;
    private readonly int _chapter;
    private readonly string _trained;
    private readonly TextWriter _log;
    private readonly string _table;
    private readonly TimeProvider _clock = TimeProvider.System;
    private long _lastState;
    private double _loss;
    private double _seconds;
    private long _tokens;
    private int _steps;

    public PretrainingObserver(PretrainingOptions options, int chapter, string trained, TextWriter log)
    {
        _options = options;
        _chapter = chapter;
        _trained = trained;
        _log = log;
        _table = Path.Combine(options.Work, "log.csv");
        _lastState = _clock.GetTimestamp();
    }

    /// <summary>The state to go on from; null at the first start.</summary>
    public string? StatePath => File.Exists(StateFile) ? StateFile : null;

    private string StateFile => _trained + ".state";

    public void Planned(MemoryPlan plan) => _log.WriteLine($"{plan.TotalSteps} steps; {plan}");

    public void StepDone(in StepMetrics metrics)
    {
        Append(FormattableString.Invariant($"{_chapter},{metrics.Step},train,{metrics.Loss:0.0000},{metrics.TokenAccuracy:0.0000},") +
            FormattableString.Invariant($"{metrics.GradientNorm:0.000},{metrics.LearningRate:0.000000},{metrics.Tokens},") +
            FormattableString.Invariant($"{metrics.Seconds:0.00}"));
        _loss += metrics.Loss;
        _seconds += metrics.Seconds;
        _tokens += metrics.Tokens;
        if (++_steps == _options.LogInterval || metrics.Step == metrics.TotalSteps)
        {
            _log.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"chapter {_chapter} step {metrics.Step}/{metrics.TotalSteps}  loss {_loss / _steps:0.000}  {_tokens / _seconds:0} tokens/s  " +
                $"left {TimeSpan.FromSeconds((metrics.TotalSteps - metrics.Step) * _seconds / _steps):d\\.hh\\:mm\\:ss}"));
            (_loss, _seconds, _tokens, _steps) = (0, 0, 0, 0);
        }
    }

    public void Evaluated(in EvaluationMetrics metrics)
    {
        Append(FormattableString.Invariant(
            $"{_chapter},{metrics.Step},held-out,{metrics.Loss:0.0000},{metrics.TokenAccuracy:0.0000},,,,"));
        _log.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"chapter {_chapter} step {metrics.Step}  held-out loss of answers {metrics.Loss:0.0000}, accuracy {metrics.TokenAccuracy:P1}"));
    }

    public void EpochEnded(int epoch, int step, ITrainedWeights weights)
    {
        string partial = _trained + ".partial";
        if (Directory.Exists(partial))
        {
            Directory.Delete(partial, recursive: true);
        }
        weights.Save(partial);
        Directory.Move(partial, _trained);
        File.Delete(StateFile);
    }

    public bool WantsRunState(int step) => _clock.GetElapsedTime(_lastState) >= _options.StateInterval;

    public void RunStateReady(RunState state, ITrainedWeights weights)
    {
        state.Save(StateFile);
        _lastState = _clock.GetTimestamp();
    }

    private void Append(string line) => File.AppendAllText(_table, line + "\n");
}
