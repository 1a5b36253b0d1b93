using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using Monolith.Contracts.Specification;

namespace Monolith.Integration.Tests.Replay;

/// <summary>Small data files and the specification that reads them.</summary>
internal sealed class Files : IDisposable
{
    public const string Header = "ts,user,session,item,pos,price,click";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-replay-");

    public static ModelSpec Spec { get; } = new()
    {
        Name = "small",
        PartitionBy = "user",
        Source = new SourceSpec { Request = ["session", "ts"], Time = "ts", Item = "item" },
        Tables =
        [
            new TableSpec
            {
                Name = "main",
                Segments =
                [
                    new SegmentSpec { Dimension = 1, Optimizer = new FtrlOptimizer() },
                    new SegmentSpec { Dimension = 4, Optimizer = new AdagradOptimizer() },
                ],
            },
        ],
        Features =
        [
            new CategoricalFeature { Name = "user", Source = "user", Table = "main" },
            new CategoricalFeature { Name = "item", Source = "item", Table = "main" },
            new CategoricalFeature { Name = "position", Source = "pos", Table = "main", ScoreAs = "1" },
            new NumericFeature { Name = "price", Source = "price", Transforms = [new LogTransform()] },
        ],
        Network = new DeepFmNetwork { Hidden = [8] },
        Tasks = ImmutableArray.Create(new TaskSpec { Name = "click", Label = "click" }),
    };

    public string Write(string content, string name = "data.csv")
    {
        var path = Path.Combine(_folder.FullName, name);
        using Stream file = File.Create(path);
        using var stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(Encoding.UTF8.GetBytes(content));
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
