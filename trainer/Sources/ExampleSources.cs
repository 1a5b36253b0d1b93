using System.Globalization;

namespace Monolith.Trainer.Sources;

/// <summary>Helpers over sources.</summary>
public static class ExampleSources
{
    /// <summary>The name under which parts keep their offset of a partition: <c>stream/partition</c>.</summary>
    public static string PartitionName(this IExampleSource source, int partition)
    {
        ArgumentNullException.ThrowIfNull(source);
        return string.Create(CultureInfo.InvariantCulture, $"{source.Stream}/{partition}");
    }
}
