using System.CommandLine;

namespace Monolith.Standalone.CommandLine;

/// <summary>A command whose help ends with examples that can be copied.</summary>
/// <param name="name">The command's name.</param>
/// <param name="description">One paragraph.</param>
/// <param name="examples">The examples.</param>
internal sealed class DocumentedCommand(string name, string description, params Example[] examples) : Command(name, description)
{
    /// <summary>The examples.</summary>
    public IReadOnlyList<Example> Examples { get; } = examples;
}

/// <summary>An example of a command's use.</summary>
/// <param name="Purpose">What it is for.</param>
/// <param name="Arguments">The arguments after <c>monolith</c>.</param>
internal sealed record Example(string Purpose, string Arguments);
