namespace Monolith.Ingestion.Tests;

/// <summary>A folder that is gone afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("monolith-ingestion-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
