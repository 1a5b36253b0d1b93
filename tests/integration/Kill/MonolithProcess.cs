using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Monolith.Integration.Tests.Kill;

/// <summary>The <c>monolith</c> program as a child process.</summary>
internal sealed class MonolithProcess : IDisposable
{
    private const int LinesMax = 200;
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>Starts it.</summary>
    /// <param name="arguments">What it is asked to do.</param>
    /// <param name="switches">Runtime switches set to true in this process alone.</param>
    public MonolithProcess(IReadOnlyList<string> arguments, params IReadOnlyList<string> switches)
    {
        var folder = AppContext.BaseDirectory;
        var settings = Path.Combine(folder, "monolith.runtimeconfig.json");
        if (switches.Count > 0)
        {
            settings = WithSwitches(settings, switches);
        }

        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["exec", "--runtimeconfig", settings, "--depsfile", Path.Combine(folder, "monolith.deps.json"), Path.Combine(folder, "monolith.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The newest lines it wrote.</summary>
    public string Output => string.Join('\n', _lines);

    public bool HasExited => _process.HasExited;

    /// <summary>Ends it as <c>kill -9</c> does: nothing is flushed, nothing is closed.</summary>
    public async Task Kill()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to stop, as Ctrl-C does, and waits until it has.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> Stop(CancellationToken cancellation)
    {
        using (var kill = Process.Start("kill", ["-INT", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(cancellation);
        }

        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(bound.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string WithSwitches(string settings, IReadOnlyList<string> switches)
    {
        var json = JsonNode.Parse(File.ReadAllText(settings))!;
        var properties = json["runtimeOptions"]!["configProperties"] as JsonObject ?? [];
        foreach (var name in switches)
        {
            properties[name] = true;
        }

        json["runtimeOptions"]!["configProperties"] = properties.DeepClone();
        var copy = Path.Combine(Path.GetTempPath(), $"monolith-{Guid.NewGuid():N}.runtimeconfig.json");
        File.WriteAllText(copy, json.ToJsonString());
        return copy;
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        _lines.Enqueue(line);
        while (_lines.Count > LinesMax)
        {
            _lines.TryDequeue(out var _);
        }
    }
}
