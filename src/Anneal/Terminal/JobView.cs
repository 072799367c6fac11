using Anneal.Client;
using Spectre.Console.Rendering;

namespace Anneal.Cli.Terminal;

/// <summary>A job on the screen, made from its updates.</summary>
internal sealed class JobView(TimeProvider time)
{
    // Time left is told from the steps of the last so many seconds, because machines do other things too.
    private static readonly TimeSpan SpeedWindow = TimeSpan.FromSeconds(15);

    private readonly TrainingView _view = new();
    private readonly Queue<(DateTimeOffset At, int Step)> _recent = new();

    /// <summary>Takes in what is new.</summary>
    public void Update(JobUpdate update)
    {
        FineTuningJob job = update.Job;
        _view.Title = job.Id;
        _view.Status = $"{job.Model}  {job.Status}";
        foreach (JobEvent item in update.News)
        {
            if (item.Metrics is StepMetrics metrics)
            {
                Add(metrics);
            }
            else
            {
                _view.Note = item.Message;
            }
        }

        _view.Left = job.Status == JobStatus.Running ? TimeLeft(job) : null;
    }

    /// <summary>The view for a terminal of so many columns.</summary>
    public IRenderable Render(int columns) => _view.Render(columns);

    private void Add(StepMetrics metrics)
    {
        // After a crash the server may tell a step again that an earlier run has told.
        _view.Step = Math.Max(_view.Step, metrics.Step);
        _view.TotalSteps = metrics.TotalSteps ?? _view.TotalSteps;
        _view.TokensPerSecond = metrics.TokensPerSecond ?? _view.TokensPerSecond;
        _view.ValidationLoss = metrics.FullValidLoss ?? metrics.ValidLoss ?? _view.ValidationLoss;
        if (metrics.TrainLoss is double loss)
        {
            _view.AddLoss(loss);
        }
    }

    private TimeSpan? TimeLeft(FineTuningJob job)
    {
        DateTimeOffset now = time.GetUtcNow();
        _recent.Enqueue((now, _view.Step));
        while (_recent.Count > 2 && now - _recent.Peek().At > SpeedWindow)
        {
            _recent.Dequeue();
        }

        (DateTimeOffset since, int step) = _recent.Peek();
        if (_view.Step > step)
        {
            return (now - since) / (_view.Step - step) * (_view.TotalSteps - _view.Step);
        }

        return job.EstimatedFinish > now ? job.EstimatedFinish - now : null;
    }
}
