using Monolith.Contracts.Specification;
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
    public void A_folder_goes_on_only_with_the_log_it_learned_from()
    {
        using var folder = DataFolder.Open(_path);
        folder.CheckLog("kafka abc");
        folder.CheckLog("kafka abc");
        var exception = Assert.Throws<DataFolderException>(() => folder.CheckLog("embedded"));
        Assert.Contains("learns from Kafka cluster abc (--kafka)", exception.Message, StringComparison.Ordinal);
        Assert.Throws<DataFolderException>(() => folder.CheckLog("kafka def"));
    }

    [Fact]
    public void A_folder_with_a_log_of_its_own_from_before_goes_on_with_that()
    {
        using var folder = DataFolder.Open(_path);
        Directory.CreateDirectory(folder.Log);
        folder.CheckLog("embedded");
        Assert.Throws<DataFolderException>(() => folder.CheckLog("kafka abc"));
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
    public void A_model_whose_layout_has_changed_is_refused_with_what_differs_and_settings_may_change()
    {
        const string Yaml = """
            model: m
            partition_by: user
            tables: [ { name: t, segments: [ { dimension: 1, optimizer: { kind: sgd } }, { dimension: 4, optimizer: { kind: sgd } } ] } ]
            features: [ { name: user, kind: categorical } ]
            network: { kind: deepfm }
            tasks: [ { name: click, label: click } ]
            """;
        using var folder = DataFolder.Open(_path);
        folder.CheckModel(ModelSpecFile.Parse(Yaml, "m.yaml"));
        folder.CheckModel(ModelSpecFile.Parse(Yaml + "\nserving: { max_candidates: 3 }", "m.yaml"));
        var exception = Assert.Throws<DataFolderException>(
            () => folder.CheckModel(ModelSpecFile.Parse(Yaml.Replace("dimension: 4", "dimension: 8", StringComparison.Ordinal), "m.yaml")));
        Assert.Contains("stored: table t", exception.Message, StringComparison.Ordinal);
        Assert.Contains("now: table t", exception.Message, StringComparison.Ordinal);
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
