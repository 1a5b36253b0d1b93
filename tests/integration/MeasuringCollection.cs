namespace Monolith.Integration.Tests;

/// <summary>Tests that measure how fast something happens: they run by themselves, after those that run side by side.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MeasuringCollection
{
    /// <summary>Name of the collection.</summary>
    public const string Name = "measuring";
}
