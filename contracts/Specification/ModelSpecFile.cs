using Monolith.Contracts.Specification.Yaml;

namespace Monolith.Contracts.Specification;

/// <summary>Reads specifications from YAML. Every mistake is found in one go; unknown keys are mistakes.</summary>
public static class ModelSpecFile
{
    /// <summary>Largest file, in characters.</summary>
    public const int LengthMax = 1 << 20;

    /// <summary>Reads and validates a file.</summary>
    /// <exception cref="SpecException">It has mistakes: all of them.</exception>
    /// <exception cref="IOException">It cannot be read; the message names it.</exception>
    public static ModelSpec Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            throw new IOException($"{path} is a folder; a model specification is a YAML file");
        }

        try
        {
            // One character more than allowed tells a file that is too large without reading all of it.
            using var reader = new StreamReader(path);
            var buffer = new char[LengthMax + 1];
            var length = reader.ReadBlock(buffer);
            return Parse(new string(buffer, 0, length), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"no model specification at {path} (seen from {Environment.CurrentDirectory})", path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{path} may not be read: {e.Message}", e);
        }
    }

    /// <summary>Reads and validates a text.</summary>
    /// <param name="yaml">The specification.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="SpecException">It has mistakes: all of them.</exception>
    public static ModelSpec Parse(string yaml, string name)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        var mistakes = new Mistakes();
        ModelSpec? spec = null;
        if (yaml.Length > LengthMax)
        {
            mistakes.Add(1, 1, "", "a longer text", $"at most {LengthMax} characters");
        }
        else if (Composer.Compose(yaml, mistakes) is { } root)
        {
            spec = ModelReader.Read(new MapReader(root, "", mistakes));
            if (root is MapNode)
            {
                Rules.Check(spec, mistakes);
            }
        }

        return mistakes.Any || spec is null ? throw new SpecException(name, mistakes.InOrder()) : spec;
    }
}
