using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Monolith.Bench.Soak;

/// <summary><c>monolith run</c> in a process of its own, so that what is measured is the service alone.</summary>
internal sealed partial class SoakService : IAsyncDisposable
{
    private static readonly TimeSpan StopBound = TimeSpan.FromMinutes(3);
    private readonly Process _process;
    private readonly string _folder;

    private SoakService(Process process, string folder, Uri address)
    {
        _process = process;
        _folder = folder;
        Address = address;
    }

    /// <summary>Where it answers.</summary>
    public Uri Address { get; }

    /// <summary>Whether the process ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Starts it in a new folder and waits until it serves.</summary>
    public static async Task<SoakService> StartAsync(SoakModel model)
    {
        var folder = Directory.CreateTempSubdirectory("monolith-soak-").FullName;
        var spec = Path.Combine(folder, "soak.yaml");
        await File.WriteAllTextAsync(spec, model.Yaml);
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] arguments =
        [
            Program(), "run", "--model", spec, "--data-dir", Path.Combine(folder, "data"), "--urls", "http://127.0.0.1:0",
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Served().Match(line) is { Success: true } match)
            {
                return new SoakService(process, folder, new Uri(match.Value));
            }
        }

        throw new InvalidOperationException("the service did not start; it says why above");
    }

    /// <summary>Its resident memory.</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Stops it cleanly, if that does not take too long, and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var signal = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            using var bound = new CancellationTokenSource(StopBound);
            await _process.WaitForExitAsync(bound.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
            {
                _process.Kill();
                throw new InvalidOperationException($"the service did not stop within {StopBound.TotalMinutes:0} minutes");
            }
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Served();

    // Built with the bench, into its own output.
    private static string Program()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(here.Parent!.Parent!.FullName, "Monolith.Standalone", here.Name, "monolith.dll");
        return File.Exists(program) ? program : throw new FileNotFoundException($"{program} is not built", program);
    }
}
