using System.Diagnostics.CodeAnalysis;
using Monolith.Contracts.Specification;

namespace Monolith.Silos.Models;

/// <summary>The models that this process knows, by name: how a grain, which only knows its key, finds its specification.</summary>
public interface IModelRegistry
{
    /// <summary>All models.</summary>
    IReadOnlyCollection<ModelSpec> All { get; }

    /// <summary>Finds a model.</summary>
    bool TryGet(string name, [NotNullWhen(true)] out ModelSpec? spec);
}

/// <summary>A fixed set of validated specifications.</summary>
/// <param name="specs">The models; names are distinct.</param>
public sealed class ModelRegistry(params IEnumerable<ModelSpec> specs) : IModelRegistry
{
    private readonly Dictionary<string, ModelSpec> _specs = specs.ToDictionary(s => s.Name, StringComparer.Ordinal);

    /// <inheritdoc/>
    public IReadOnlyCollection<ModelSpec> All => _specs.Values;

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out ModelSpec? spec) => _specs.TryGetValue(name, out spec);
}

/// <summary>Looks a model up or says what is there.</summary>
public static class ModelRegistryExtensions
{
    /// <summary>The specification of a model.</summary>
    /// <exception cref="KeyNotFoundException">No such model; the message names those that there are.</exception>
    public static ModelSpec Get(this IModelRegistry registry, string name)
    {
        ArgumentNullException.ThrowIfNull(registry);
        return registry.TryGet(name, out var spec)
            ? spec
            : throw new KeyNotFoundException(
                $"Model '{name}' is not known to this process; it knows: {string.Join(", ", registry.All.Select(s => s.Name).Order())}.");
    }
}
