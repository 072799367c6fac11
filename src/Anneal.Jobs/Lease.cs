namespace Anneal.Jobs;

/// <summary>
/// The right to write on behalf of a job. Every write of a worker carries it; the store compares <paramref name="Fence"/>
/// with the job's inside the statement that writes, so a worker that was replaced can change nothing.
/// </summary>
/// <param name="RunId">The run.</param>
/// <param name="JobId">The job.</param>
/// <param name="Fence">The fencing token: the job's claim count when this run took it.</param>
public readonly record struct Lease(string RunId, string JobId, long Fence);

/// <summary>How a run ended.</summary>
public enum RunEnding
{
    /// <summary>The job succeeded or failed by the worker's own report.</summary>
    Finished,

    /// <summary>The worker stopped because it was asked to: pause, cancel, or shutdown.</summary>
    Released,

    /// <summary>The worker disappeared or crashed.</summary>
    Lost,
}

/// <summary>One attempt at a job by one worker.</summary>
public sealed record Run
{
    /// <summary><c>run-</c> and 24 letters and digits.</summary>
    public required string Id { get; init; }

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The fencing token; also the attempt's number, from 1.</summary>
    public required long Fence { get; init; }

    /// <summary>When the job was claimed.</summary>
    public required DateTimeOffset ClaimedAt { get; init; }

    /// <summary>After this moment without a heartbeat the rescuer takes the job away.</summary>
    public required DateTimeOffset LeaseExpiresAt { get; init; }

    /// <summary>When the run ended; null while it is active.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How the run ended; null while it is active.</summary>
    public RunEnding? Ending { get; init; }

    /// <summary>The run's right to write.</summary>
    public Lease Lease => new(Id, JobId, Fence);
}

/// <summary>A job that was just claimed.</summary>
/// <param name="Run">The new run.</param>
/// <param name="Job">The job, now <see cref="JobStatus.Running"/>.</param>
public sealed record ClaimedRun(Run Run, Job Job);

/// <summary>What a worker is told to do, in the answer to every write.</summary>
public enum RunDirective
{
    /// <summary>Go on.</summary>
    Continue,

    /// <summary>Save a run state and a checkpoint at the next step boundary, release the run, exit.</summary>
    Pause,

    /// <summary>Exit at once and write nothing: the job was cancelled, is terminal, or belongs to another run.</summary>
    Stop,
}

/// <summary>How far a worker is, sent with its heartbeats.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="EstimatedFinish">When it expects to be done; null while nothing was measured.</param>
public sealed record RunProgress(int Step, DateTimeOffset? EstimatedFinish);
