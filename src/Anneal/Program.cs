using System.Runtime.InteropServices;
using Anneal.Cli;
using Anneal.Cli.Terminal;

// The first Ctrl-C, or a request to end, lets the verb end in good order; the second Ctrl-C ends the process at once.
using var interrupted = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
return await Root.RunAsync(args, Shell.ForProcess(), interrupted.Token);

void End(PosixSignalContext context)
{
    context.Cancel = !interrupted.IsCancellationRequested;
    interrupted.Cancel();
}
