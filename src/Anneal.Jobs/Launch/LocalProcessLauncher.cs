using System.ComponentModel;
using System.Diagnostics;

namespace Anneal.Jobs.Launch;

/// <summary>How to start a worker on this machine.</summary>
public sealed record LocalProcessOptions
{
    /// <summary>The executable and its leading arguments, up to and including the verb <c>worker</c>.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Gives the server's URL; asked at each launch, because the port is known only once the server listens.</summary>
    public required Func<string> ServerUrl { get; init; }

    /// <summary>Where the workers' output is kept: one bounded <c>{run}.log</c> each.</summary>
    public required string LogFolder { get; init; }

    /// <summary>More environment variables for the workers.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// Starts <c>anneal worker --run {id}</c> as a child process. URL and token go through the environment, which other users
/// cannot read, never through the arguments, which they can.
/// </summary>
/// <remarks>
/// A worker outlives a server that dies: it holds a lease, keeps training, retries its reports, and is taken back by the next
/// server when that one comes up at the same address before the worker gives up. An orderly shutdown of the server asks its
/// workers to stop, through the line <c>stop</c> on their standard input; the end of that input alone means nothing.
/// </remarks>
public sealed class LocalProcessLauncher(LocalProcessOptions options, TimeProvider time) : ILauncher
{
    /// <summary>Environment variable with the server's URL.</summary>
    public const string UrlVariable = "ANNEAL_SERVER_URL";

    /// <summary>Environment variable with the run's token.</summary>
    public const string TokenVariable = "ANNEAL_RUN_TOKEN";

    /// <summary>The line on standard input that asks a worker to stop in good order.</summary>
    public const string StopLine = "stop";

    /// <inheritdoc/>
    public string Name => "local";

    /// <inheritdoc/>
    public IWorker Launch(Run run, string token)
    {
        ProcessStartInfo start = new(options.Command[0])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in options.Command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.ArgumentList.Add("--run");
        start.ArgumentList.Add(run.Id);
        foreach ((string name, string value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment[UrlVariable] = options.ServerUrl();
        start.Environment[TokenVariable] = token;
        try
        {
            Directory.CreateDirectory(options.LogFolder);
            BoundedLog log = new(Path.Combine(options.LogFolder, run.Id + ".log"), Limits.WorkerLogBytesMax, time);
            return new LocalWorker(Process.Start(start)!, log);
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            throw new LaunchException($"the worker '{options.Command[0]}' could not be started: {e.Message}", e);
        }
    }

    private sealed class LocalWorker : IWorker
    {
        private readonly Process _process;
        private readonly BoundedLog _log;

        public LocalWorker(Process process, BoundedLog log)
        {
            _process = process;
            _log = log;
            _process.OutputDataReceived += (_, e) => _log.WriteLine(e.Data, isError: false);
            _process.ErrorDataReceived += (_, e) => _log.WriteLine(e.Data, isError: true);
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
            Exited = WaitAsync();
        }

        public Task<string> Exited { get; }

        public void RequestStop()
        {
            try
            {
                _process.StandardInput.WriteLine(StopLine);
                _process.StandardInput.Flush();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // It has just exited, which is what was asked for.
            }
        }

        public void Kill()
        {
            try
            {
                _process.Kill(entireProcessTree: true);
            }
            catch (Exception e) when (e is InvalidOperationException or Win32Exception)
            {
                // It has just exited by itself.
            }
        }

        public void Dispose()
        {
            _process.Dispose();
            _log.Dispose();
        }

        private async Task<string> WaitAsync()
        {
            await _process.WaitForExitAsync().ConfigureAwait(false);

            // 128 + n is how a death by signal n shows.
            int code = _process.ExitCode;
            string end = code > 128 && !OperatingSystem.IsWindows() ? $"signal {code - 128}" : $"exit code {code}";
            return _log.LastLine is { } line ? $"{end}; last output: {line}" : end;
        }
    }
}
