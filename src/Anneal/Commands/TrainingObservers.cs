using Anneal.Cli.Terminal;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Methods;

namespace Anneal.Cli.Commands;

/// <summary>Saves what was trained at the end of each epoch, so that an interrupted run leaves its last whole epoch.</summary>
internal abstract class SavingObserver(string target) : IRunObserver
{
    /// <summary>The evaluation after the step that comes next, if there was one.</summary>
    protected EvaluationMetrics? Evaluation { get; private set; }

    /// <inheritdoc/>
    public abstract void Planned(MemoryPlan plan);

    /// <inheritdoc/>
    public void Evaluated(in EvaluationMetrics metrics) => Evaluation = metrics;

    /// <inheritdoc/>
    public void StepDone(in StepMetrics metrics)
    {
        Tell(metrics);
        Evaluation = null;
    }

    /// <inheritdoc/>
    public void EpochEnded(int epoch, int step, ITrainedWeights weights) => weights.Save(target);

    /// <inheritdoc/>
    public bool WantsRunState(int step) => false;

    /// <inheritdoc/>
    public void RunStateReady(RunState state, ITrainedWeights weights)
    {
        // Never asked for.
    }

    /// <summary>Shows a step.</summary>
    protected abstract void Tell(in StepMetrics metrics);
}

/// <summary>A line a step: JSON, or words.</summary>
internal sealed class LineObserver(Shell shell, string target, bool json) : SavingObserver(target)
{
    /// <inheritdoc/>
    public override void Planned(MemoryPlan plan) => Notes.Tell(shell, plan);

    /// <inheritdoc/>
    protected override void Tell(in StepMetrics metrics)
    {
        StepMetrics step = metrics;
        double speed = step.Tokens / step.Seconds;
        if (!json)
        {
            string validation = Evaluation is { } measured ? $"  valid {Format.Loss(measured.Loss)}" : "";
            shell.Out.WriteLine(
                $"step {step.Step}/{step.TotalSteps}  loss {Format.Loss(step.Loss)}  {Format.Rate(speed)} tokens/s{validation}");
            return;
        }

        shell.Out.WriteLine(JsonLine.Of(writer =>
        {
            writer.WriteNumber("step", step.Step);
            writer.WriteNumber("total_steps", step.TotalSteps);
            writer.WriteNumber("loss", step.Loss);
            writer.WriteNumber("grad_norm", step.GradientNorm);
            writer.WriteNumber("learning_rate", step.LearningRate);
            writer.WriteNumber("tokens", step.Tokens);
            writer.WriteNumber("trained_tokens", step.TrainedTokens);
            writer.WriteNumber("tokens_per_second", Math.Round(speed, 1));
            if (Evaluation is { } measured)
            {
                JsonLine.Number(writer, "valid_loss", measured.Loss);
                JsonLine.Number(writer, "valid_token_accuracy", measured.TokenAccuracy);
            }
        }));
    }
}

/// <summary>A view that is drawn anew a few times a second.</summary>
internal sealed class LiveObserver(TrainingView view, Action draw, TimeProvider time, string target) : SavingObserver(target)
{
    private static readonly TimeSpan DrawInterval = TimeSpan.FromMilliseconds(100);

    private readonly long _began = time.GetTimestamp();
    private long _drawn;

    /// <inheritdoc/>
    public override void Planned(MemoryPlan plan)
    {
        view.TotalSteps = plan.TotalSteps;
        view.Note = Notes.Of(plan) ?? "";
        draw();
    }

    /// <inheritdoc/>
    protected override void Tell(in StepMetrics metrics)
    {
        view.Step = metrics.Step;
        view.AddLoss(metrics.Loss);
        view.TokensPerSecond = metrics.Tokens / metrics.Seconds;
        view.ValidationLoss = Evaluation?.Loss ?? view.ValidationLoss;
        view.Left = time.GetElapsedTime(_began) / metrics.Step * (metrics.TotalSteps - metrics.Step);
        if (metrics.Step == metrics.TotalSteps || time.GetElapsedTime(_drawn) >= DrawInterval)
        {
            _drawn = time.GetTimestamp();
            draw();
        }
    }
}

/// <summary>What of a plan a user should know.</summary>
internal static class Notes
{
    /// <summary>A sentence, or null when everything is as expected.</summary>
    public static string? Of(MemoryPlan plan) => plan.SkippedExamples > 0
        ? $"{plan.SkippedExamples} examples have no token to train on and are left out."
        : null;

    /// <summary>Says it on standard error.</summary>
    public static void Tell(Shell shell, MemoryPlan plan)
    {
        if (Of(plan) is string note)
        {
            shell.Error.WriteLine(note);
        }
    }
}
