namespace Anneal.Jobs.Launch;

/// <summary>Starts workers somewhere: here as child processes, on a cluster as batch jobs.</summary>
public interface ILauncher
{
    /// <summary>Name under which settings choose it.</summary>
    string Name { get; }

    /// <summary>Starts a worker for a run that was just claimed.</summary>
    /// <param name="run">The run.</param>
    /// <param name="token">The secret whose hash the run holds. It must reach the worker and nobody else.</param>
    /// <exception cref="LaunchException">The worker could not be started.</exception>
    IWorker Launch(Run run, string token);
}

/// <summary>A worker that was launched by this process.</summary>
public interface IWorker : IDisposable
{
    /// <summary>Completes when the worker is gone, with what is known of its end, for example <c>exit code 137</c>.</summary>
    Task<string> Exited { get; }

    /// <summary>Asks the worker to save what it has, let go of the job and exit.</summary>
    void RequestStop();

    /// <summary>Ends the worker at once.</summary>
    void Kill();
}

/// <summary>A worker could not be started.</summary>
public sealed class LaunchException(string message, Exception inner) : Exception(message, inner);
