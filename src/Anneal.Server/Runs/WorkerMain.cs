using Anneal.Jobs.Launch;

namespace Anneal.Server.Runs;

/// <summary>
/// The verb <c>anneal worker --run {id}</c>: one run of one job, from its claim to its end. The server's URL and the run's token
/// come from the environment; everything else comes over HTTP.
/// </summary>
public static class WorkerMain
{
    /// <summary>Environment variable with the folder for temporary files; without it the system's.</summary>
    public const string ScratchVariable = "ANNEAL_SCRATCH";

    /// <summary>Does the run.</summary>
    /// <param name="runId">The run, as claimed.</param>
    /// <param name="input">Standard input; the line <c>stop</c> asks the worker to let go.</param>
    /// <param name="errors">Standard error.</param>
    /// <param name="time">The clock.</param>
    /// <returns>
    /// 0 when the run ended in good order, whatever became of the job; 1 when it broke and another attempt may help; 2 when the
    /// worker was started wrongly.
    /// </returns>
    public static async Task<int> RunAsync(string runId, TextReader input, TextWriter errors, TimeProvider time)
    {
        string? url = Environment.GetEnvironmentVariable(LocalProcessLauncher.UrlVariable);
        string? token = Environment.GetEnvironmentVariable(LocalProcessLauncher.TokenVariable);
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? server) || string.IsNullOrEmpty(token))
        {
            await errors.WriteLineAsync(
                $"A worker is started by the server. It needs {LocalProcessLauncher.UrlVariable} and "
                + $"{LocalProcessLauncher.TokenVariable} in its environment.");
            return 2;
        }

        // Nothing that this process starts may inherit the token.
        Environment.SetEnvironmentVariable(LocalProcessLauncher.TokenVariable, null);
        string scratch = Path.Combine(Environment.GetEnvironmentVariable(ScratchVariable) ?? Path.GetTempPath(), runId);
        try
        {
            Directory.CreateDirectory(scratch);
            using StopSignal stop = new();
            stop.Listen(input);
            using RunClient client = new(server, runId, token, time);
            await new TrainingRun(client, stop, scratch, time).RunAsync();
            return 0;
        }
        catch (Exception e)
        {
            // The last line of the log is what the user is told of the crash, so it must be a plain sentence.
            await errors.WriteLineAsync(e.ToString());
            await errors.WriteLineAsync($"{e.GetType().Name}: {e.Message}".ReplaceLineEndings(" "));
            return 1;
        }
        finally
        {
            RemoveScratch(scratch);
        }
    }

    private static void RemoveScratch(string scratch)
    {
        try
        {
            Directory.Delete(scratch, recursive: true);
        }
        catch (IOException)
        {
            // The server removes the folders of ended runs too.
        }
    }
}
