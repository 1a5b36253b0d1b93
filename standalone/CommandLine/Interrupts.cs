using System.Runtime.InteropServices;

namespace Monolith.Standalone.CommandLine;

/// <summary>
/// Turns Ctrl-C, SIGTERM and a closed terminal into cancellation: the first asks everything to stop cleanly, the second ends the process at
/// once (the data folder survives that too; what was not saved is learned again from the log).
/// </summary>
public sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Begins to listen.</summary>
    /// <param name="error">Receives a line when a clean stop begins.</param>
    public Interrupts(TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(error);
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                if (_source.IsCancellationRequested)
                {
                    return; // not cancelled: the default action ends the process
                }

                context.Cancel = true;
                _source.Cancel();
                if (signal != PosixSignal.SIGHUP) // after which nobody is there to read
                {
                    error.WriteLine("monolith: stopping cleanly; once more to stop at once");
                }
            }));
        }
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        _registrations.ForEach(r => r.Dispose());
        _source.Dispose();
    }
}
