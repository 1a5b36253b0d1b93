using System.Runtime.InteropServices;

namespace Monolith.Events.Tests.Kafka;

/// <summary>
/// librdkafka's own brokers in this process: they speak the protocol, keep records and groups, take transactions, and
/// answer with errors on request. They know no topic creation; topics are made here.
/// </summary>
public sealed partial class MockCluster : IDisposable
{
    private const string Library = "librdkafka";
    private const int Producer = 0;
    private readonly nint _client;
    private readonly nint _cluster;

    static MockCluster() => NativeLibrary.SetDllImportResolver(typeof(MockCluster).Assembly, Resolve);

    /// <summary>Starts a broker.</summary>
    public MockCluster()
    {
        var configuration = NewConfiguration();
        Set(configuration, "log_level", "3", 0, 0);
        _client = New(Producer, configuration, 0, 0);
        Assert.NotEqual(0, _client);
        _cluster = NewCluster(_client, 1);
        Assert.NotEqual(0, _cluster);
        Bootstrap = Marshal.PtrToStringUTF8(Bootstraps(_cluster))!;
    }

    /// <summary>The broker's address.</summary>
    public string Bootstrap { get; }

    /// <summary>Makes a topic; one that is there stays as it is.</summary>
    public void CreateTopic(string name, int partitions) => CreateTopic(_cluster, name, partitions, 1);

    /// <summary>The next requests of a kind are answered with these errors, in order.</summary>
    /// <param name="apiKey">The protocol's number of the request.</param>
    /// <param name="errors">The protocol's error codes.</param>
    public void Fail(short apiKey, params int[] errors) => PushErrors(_cluster, apiKey, (nuint)errors.Length, errors);

    public void Dispose()
    {
        DestroyCluster(_cluster);
        Destroy(_client);
    }

    /// <summary>The package's builds of the library, of which the first needs what not every system has.</summary>
    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path)
    {
        if (name == Library)
        {
            foreach (var build in (ReadOnlySpan<string>)["librdkafka", "centos8-librdkafka", "alpine-librdkafka"])
            {
                if (NativeLibrary.TryLoad(build, assembly, path, out var loaded))
                {
                    return loaded;
                }
            }
        }

        return 0;
    }

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_new")]
    private static partial nint NewConfiguration();

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Set(nint configuration, string name, string value, nint message, nuint messageBytes);

    [LibraryImport(Library, EntryPoint = "rd_kafka_new")]
    private static partial nint New(int type, nint configuration, nint message, nuint messageBytes);

    [LibraryImport(Library, EntryPoint = "rd_kafka_destroy")]
    private static partial void Destroy(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_new")]
    private static partial nint NewCluster(nint client, int brokers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static partial void DestroyCluster(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static partial nint Bootstraps(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateTopic(nint cluster, string name, int partitions, int replicas);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    private static partial void PushErrors(nint cluster, short apiKey, nuint count, int[] errors);
}
