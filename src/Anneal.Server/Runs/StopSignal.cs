using System.Runtime.InteropServices;
using Anneal.Jobs.Launch;

namespace Anneal.Server.Runs;

/// <summary>
/// The wish that this worker lets go of its job in good order: the line <c>stop</c> on standard input, from the server that
/// launched it, or SIGTERM or SIGINT from an operator or a terminal.
/// </summary>
internal sealed class StopSignal : IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private volatile bool _requested;

    /// <summary>True once somebody wished it.</summary>
    public bool Requested => _requested;

    /// <summary>Begins to listen.</summary>
    public void Listen(TextReader input)
    {
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP])
        {
            _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                _requested = true;
            }));
        }

        // A read of standard input cannot be cancelled, so it has a thread that the end of the process takes with it.
        Thread reader = new(() => Read(input)) { IsBackground = true, Name = "stop signal" };
        reader.Start();
    }

    /// <summary>Wishes it from within this process.</summary>
    public void Request() => _requested = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }
    }

    private void Read(TextReader input)
    {
        try
        {
            while (input.ReadLine() is string line)
            {
                _requested |= line == LocalProcessLauncher.StopLine;
            }
        }
        catch (IOException)
        {
            // The other end broke; like the end of the input, that means nothing.
        }
    }
}
