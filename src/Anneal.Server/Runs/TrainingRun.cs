using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Methods;
using Anneal.Jobs;

namespace Anneal.Server.Runs;

/// <summary>The job cannot succeed with what it was given, however often it is tried.</summary>
internal sealed class JobFaultException(string code, string message, string? param) : Exception(message)
{
    /// <summary>What the job's error will say.</summary>
    public FailureReport Report { get; } = new(code, message, param);
}

/// <summary>
/// One claimed job from its data to its end: fetch, tokenise, train, report. Knows the server only through
/// <see cref="RunClient"/>, and the engine only through one method call.
/// </summary>
internal sealed class TrainingRun(RunClient client, StopSignal stop, string scratch, TimeProvider time)
{
    /// <summary>
    /// Does the run. Returns when it ended in good order: finished, failed by its own report, let go, or taken away.
    /// </summary>
    public async Task RunAsync()
    {
        RunSpec spec;
        try
        {
            spec = await client.GetSpecAsync(CancellationToken.None);
        }
        catch (RunLostException)
        {
            // Cancelled between the claim and now.
            await client.ReleaseAsync(CancellationToken.None);
            return;
        }
        catch (RunRefusedException refusal)
        {
            await client.FailAsync(new FailureReport(refusal.Code, refusal.Message, refusal.Param), CancellationToken.None);
            return;
        }
        client.Patience = TimeSpan.FromSeconds(spec.GiveUpSeconds);

        await using RunReporter reporter = new(client, TimeSpan.FromSeconds(spec.HeartbeatSeconds), time);
        using TrainingObserver observer = new(
            reporter, stop, TimeSpan.FromSeconds(spec.StateSeconds), scratch, time);
        try
        {
            await FollowAsync(spec, reporter, observer);
        }
        catch (Exception e) when (reporter.Ended.IsCancellationRequested && e is OperationCanceledException or RunLostException)
        {
            await EndAsync(reporter);
        }
    }

    private async Task FollowAsync(RunSpec spec, RunReporter reporter, TrainingObserver observer)
    {
        long trainedTokens;
        try
        {
            // Training is synchronous work for hours: it gets a thread of its own.
            trainedTokens = await Task.Factory.StartNew(
                () => Train(spec, reporter, observer), reporter.Ended, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        catch (OperationCanceledException) when (!reporter.Ended.IsCancellationRequested)
        {
            // Let go: everything the next run needs goes to the server first.
            await reporter.DrainAsync();
            await client.ReleaseAsync(CancellationToken.None);
            return;
        }
        catch (JobFaultException fault)
        {
            await reporter.DrainAsync();
            await EndOrReleaseAsync(await client.FailAsync(fault.Report, CancellationToken.None));
            return;
        }
        await reporter.DrainAsync();
        await EndOrReleaseAsync(await client.FinishAsync(trainedTokens, CancellationToken.None));
    }

    /// <summary>
    /// A job that was paused just before the report stays paused, and the report is made again by the run that resumes it.
    /// </summary>
    private Task EndOrReleaseAsync(RunDirective answer) =>
        answer == RunDirective.Stop ? Task.CompletedTask : client.ReleaseAsync(CancellationToken.None);

    /// <summary>The run was taken away, or the server is gone.</summary>
    private async Task EndAsync(RunReporter reporter)
    {
        if (reporter.Failure is not (null or RunLostException))
        {
            throw new InvalidOperationException(reporter.Failure.Message, reporter.Failure);
        }
        await client.ReleaseAsync(CancellationToken.None);
    }

    private long Train(RunSpec spec, RunReporter reporter, TrainingObserver observer)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(reporter.Ended, observer.LetGo);
        TrainingData data = TrainingData.Prepare(spec, client, scratch, observer, reporter, ending.Token);
        using BaseModel model = data.Model;
        SupervisedOptions options = TrainingDefaults.Supervised(
            spec.Hyperparameters, spec.Seed, data.Training.Count, model.Config.HiddenSize, data.AdapterFolder);
        using ICompute compute = new CpuCompute();
        try
        {
            Run(data, compute, options, reporter, observer, ending.Token);
        }
        catch (TrainingDivergedException e)
        {
            throw new JobFaultException("training_diverged", e.Message, "hyperparameters");
        }
        catch (MemoryLimitException e)
        {
            throw new JobFaultException("insufficient_memory", e.Message, "model");
        }
        return data.Training.Sum(example => (long)example.Ids.Length) * options.Epochs;
    }

    private static void Run(
        TrainingData data, ICompute compute, SupervisedOptions options, RunReporter reporter, TrainingObserver observer,
        CancellationToken cancellation)
    {
        if (data.StateFile is not null)
        {
            try
            {
                Supervised.Run(
                    data.Model, compute, data.Training, data.Validation, options, observer, data.StateFile, cancellation);
                return;
            }
            catch (InvalidDataException e)
            {
                // Another version of this program wrote it, or the model's folder changed. The data decide, not the state.
                reporter.Event(
                    EventLevel.Warn, $"The saved state cannot be used, so training starts again from the beginning: {e.Message}");
            }
        }
        Supervised.Run(data.Model, compute, data.Training, data.Validation, options, observer, null, cancellation);
    }
}
