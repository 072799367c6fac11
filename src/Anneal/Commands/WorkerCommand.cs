using System.CommandLine;
using System.Runtime.InteropServices;
using Anneal.Cli.Terminal;
using Anneal.Server.Runs;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal worker</c>: one run of one job. The server starts it.</summary>
internal static class WorkerCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        var run = new Option<string>("--run") { Description = "The run to do.", Required = true, HelpName = "ID" };
        return Verb.Of("worker", "Do one run of a job; the server starts this.", shell, async (parsed, _) =>
        {
            // Ctrl-C reaches every process of a terminal at once. The server decides what becomes of its workers.
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
            return await WorkerMain.RunAsync(parsed.GetRequiredValue(run), shell.In, shell.Error, shell.Time);
        }, run);
    }
}
