using System.Xml.Linq;

namespace Monolith.Contracts.Tests;

/// <summary>Dependencies point one way; this is the table of docs/architecture.md.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["contracts"] = [],
        ["embeddings"] = ["contracts"],
        ["features"] = ["contracts"],
        ["events"] = ["contracts"],
        ["http"] = [],
        ["ingestion"] = ["events", "features", "contracts", "http"],
        ["silos"] = ["embeddings", "contracts", "events"],
        ["trainer"] = ["contracts", "events", "features"],
        ["serving"] = ["embeddings", "features", "contracts", "events", "http"],
        ["standalone"] = ["contracts", "embeddings", "features", "events", "ingestion", "silos", "trainer", "serving", "http"],
    };

    /// <summary>Packages that must not be reachable from a project, directly or through its references.</summary>
    private static readonly Dictionary<string, string[]> Forbidden = new()
    {
        ["embeddings"] = ["Microsoft.Orleans.Server", "Microsoft.Orleans.Client", "TorchSharp", "Confluent.Kafka", "StackExchange.Redis"],
        ["features"] = ["Microsoft.Orleans.Server", "Microsoft.Orleans.Client", "TorchSharp", "Confluent.Kafka"],
        ["serving"] = ["Microsoft.Orleans.Server", "Microsoft.Orleans.Client", "TorchSharp"],
        ["silos"] = ["TorchSharp"],
    };

    private static string Root { get; } = FindRoot();

    public static TheoryData<string> Folders => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_project_references_only_what_the_architecture_allows(string folder)
    {
        var references = References(folder);
        Assert.All(references, reference => Assert.Contains(reference, Allowed[folder]));
    }

    [Fact]
    public void Every_project_of_the_product_is_in_the_table()
    {
        var found = Directory.EnumerateDirectories(Root)
            .Where(d => Directory.EnumerateFiles(d, "*.csproj").Any())
            .Select(d => Path.GetFileName(d))
            .Where(d => d is not "bench");
        Assert.Equal(Allowed.Keys.Order(), found.Order());
    }

    [Fact]
    public void No_path_leads_to_a_forbidden_package()
    {
        foreach (var (folder, packages) in Forbidden)
        {
            var reachable = Closure(folder).SelectMany(Packages).ToHashSet();
            Assert.Empty(packages.Intersect(reachable));
        }
    }

    [Fact]
    public void A_file_of_the_product_has_at_most_400_lines()
    {
        var large = Allowed.Keys
            .SelectMany(f => Directory.EnumerateFiles(Path.Combine(Root, f), "*.cs", SearchOption.AllDirectories))
            .Select(f => (File: Path.GetRelativePath(Root, f), Lines: File.ReadLines(f).Count()))
            .Where(f => f.Lines > 400);
        Assert.Empty(large);
    }

    private static IEnumerable<string> Closure(string folder) =>
        References(folder).SelectMany(Closure).Append(folder).Distinct();

    private static string[] References(string folder) =>
        [.. Items(folder, "ProjectReference").Select(p => p.Replace('\\', '/').Split('/')[^2])];

    private static IEnumerable<string> Packages(string folder) => Items(folder, "PackageReference");

    private static IEnumerable<string> Items(string folder, string item)
    {
        var file = Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj").Single();
        return XDocument.Load(file).Descendants(item).Select(e => e.Attribute("Include")!.Value);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Monolith.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"Monolith.sln is in no folder above {AppContext.BaseDirectory}");
    }
}
