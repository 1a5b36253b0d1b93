namespace Monolith.Contracts.Tests.Specification;

internal static class RepositoryFiles
{
    public static string Root { get; } = Find();

    public static string Model(string name) => Path.Combine(Root, "models", name);

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Monolith.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("no Monolith.sln above the tests");
        }

        return folder;
    }
}
