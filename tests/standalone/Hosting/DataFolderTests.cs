using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.Tests.Hosting;

public sealed class DataFolderTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"monolith-test-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_path))
        {
            Directory.Delete(_path, recursive: true);
        }
    }

    [Fact]
    public void A_new_folder_is_created_and_can_be_opened_again_after_it_is_released()
    {
        using (DataFolder.Open(_path))
        {
            Assert.Equal("1", File.ReadAllText(Path.Combine(_path, "version")).Trim());
        }

        using var again = DataFolder.Open(_path);
        Assert.Equal(_path, again.Path);
    }

    [Fact]
    public void A_folder_in_use_names_the_process()
    {
        using var held = DataFolder.Open(_path);
        var exception = Assert.Throws<DataFolderException>(() => DataFolder.Open(_path));
        Assert.Contains($"in use by process {Environment.ProcessId}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_of_another_version_is_refused_and_left_as_it_is()
    {
        DataFolder.Open(_path).Dispose();
        File.WriteAllText(Path.Combine(_path, "version"), "99\n");
        var exception = Assert.Throws<DataFolderException>(() => DataFolder.Open(_path));
        Assert.Contains("version '99'", exception.Message, StringComparison.Ordinal);
        Assert.Equal("99\n", File.ReadAllText(Path.Combine(_path, "version")));
    }

    [Fact]
    public void A_folder_with_other_files_is_refused()
    {
        Directory.CreateDirectory(_path);
        File.WriteAllText(Path.Combine(_path, "thesis.txt"), "precious");
        var exception = Assert.Throws<DataFolderException>(() => DataFolder.Open(_path));
        Assert.Contains("not a Monolith data folder", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_that_is_a_file_is_refused()
    {
        File.WriteAllText(_path, "a file");
        try
        {
            var exception = Assert.Throws<DataFolderException>(() => DataFolder.Open(_path));
            Assert.Contains(_path, exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(_path);
        }
    }

    [Fact]
    public void A_temporary_folder_is_gone_afterwards()
    {
        string path;
        using (var folder = DataFolder.Temporary())
        {
            path = folder.Path;
            File.WriteAllText(Path.Combine(path, "anything"), "x");
        }

        Assert.False(Directory.Exists(path));
    }
}
