using System.Text;

namespace Monolith.Contracts.Specification;

/// <summary>One mistake in a specification.</summary>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="Column">Column in the line, from 1.</param>
/// <param name="Path">Key path, for example <c>tables[0].segments[1].dimension</c>; empty for the whole file.</param>
/// <param name="Found">What stands there.</param>
/// <param name="Allowed">What may stand there.</param>
public sealed record SpecMistake(int Line, int Column, string Path, string Found, string Allowed)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"line {Line}, column {Column}: {(Path.Length == 0 ? "" : Path + ": ")}found {Found}; allowed: {Allowed}";
}

/// <summary>A specification has mistakes: all of them, each with its place.</summary>
public sealed class SpecException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="file">The file's name, or what stands for it.</param>
    /// <param name="mistakes">At least one.</param>
    public SpecException(string file, IReadOnlyList<SpecMistake> mistakes)
        : base(Describe(file, mistakes))
    {
        File = file;
        Mistakes = mistakes;
    }

    /// <summary>The file's name.</summary>
    public string File { get; }

    /// <summary>The mistakes, in the order of the file.</summary>
    public IReadOnlyList<SpecMistake> Mistakes { get; }

    private static string Describe(string file, IReadOnlyList<SpecMistake> mistakes)
    {
        var text = new StringBuilder($"{file}: {mistakes.Count} mistake{(mistakes.Count == 1 ? "" : "s")}");
        foreach (var mistake in mistakes)
        {
            text.Append("\n  ").Append(mistake);
        }

        return text.ToString();
    }
}
