using Microsoft.Extensions.Hosting;

namespace Monolith.Standalone.Hosting;

/// <summary>The host neither listens for Ctrl-C nor says how to press it: the command line does both.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
