namespace Anneal.Engine.Methods;

/// <summary>How the learning rate goes after warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>Stays.</summary>
    Constant,

    /// <summary>Falls on a line towards 0 one step past the end.</summary>
    Linear,

    /// <summary>Falls on half a cosine towards 0 one step past the end (Loshchilov and Hutter 2017, without restarts).</summary>
    Cosine,
}

/// <summary>Learning rate by step, as transformers' schedulers give it: with warm-up the first step's rate is 0.</summary>
/// <param name="Kind">Shape after warm-up.</param>
/// <param name="WarmupSteps">Steps over which the factor rises from 0 to 1.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
public readonly record struct LearningRateSchedule(ScheduleKind Kind, int WarmupSteps, int TotalSteps)
{
    /// <summary>Factor on the peak learning rate, 0 … 1.</summary>
    /// <param name="step">Number of the step, from 1.</param>
    public double Factor(int step)
    {
        int done = step - 1;
        if (done < WarmupSteps)
        {
            return (double)done / Math.Max(1, WarmupSteps);
        }

        double left = Math.Max(1, TotalSteps - WarmupSteps);
        return Kind switch
        {
            ScheduleKind.Constant => 1,
            ScheduleKind.Linear => Math.Max(0, (TotalSteps - done) / left),
            ScheduleKind.Cosine => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * (done - WarmupSteps) / left))),
            _ => throw new InvalidOperationException($"{Kind} is not a schedule."),
        };
    }
}
