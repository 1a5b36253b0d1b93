using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Monolith.Silos.Shards;
using Monolith.Silos.Snapshots;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Snapshots;

public sealed class IncrementChainTests : IDisposable
{
    private const int Users = 1000;
    private static readonly ModelSpec Spec = SomeModels.Small;
    private static readonly PartIdentity Part = PartIdentity.Shard(Spec.Name, 0);
    private readonly TemporaryFolder _folder = new();
    private readonly SiloMetrics _metrics = new();
    private readonly List<ShardState> _states = [];

    private string Folder => Path.Combine(_folder.Path, Part.Model, Part.Folder);

    // Oldest first.
    private string[] Names => [.. Directory.GetFiles(Folder, "*.snap").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        _states.ForEach(s => s.Dispose());
        _metrics.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whichever_file_is_damaged_or_gone_the_newest_snapshot_without_it_is_restored(bool gone)
    {
        var (state, keeper) = await Start();
        var saved = new List<(Figures Figures, string Name)>();
        for (var i = 0; i < IncrementChain.LengthMax + 4; i++)
        {
            await PushAndSave(state, keeper, i);
            saved.Add((Figures.Of(state), Names[^1]));
        }

        var names = Names;
        Assert.Equal(saved.Select(s => s.Name), names); // nothing was given up so far
        Assert.Equal([0, IncrementChain.LengthMax], Enumerable.Range(0, saved.Count).Where(i => IsFull(saved[i].Name)));
        foreach (var (_, name) in saved)
        {
            var path = Path.Combine(Folder, name);
            var good = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
            await Harm(path, good, gone);
            var usable = saved.Where(s => !ChainOf(s.Name, names).Contains(name)).ToList();
            var (restored, _) = await Start();
            Assert.Equal(usable[^1].Figures, Figures.Of(restored));
            await File.WriteAllBytesAsync(path, good, TestContext.Current.CancellationToken);
        }

        var (whole, goesOn) = await Start();
        Assert.Equal(saved[^1].Figures, Figures.Of(whole));
        await PushAndSave(state, keeper, 99);
        await PushAndSave(whole, goesOn, 99);
        Assert.Equal(Figures.Of(state), Figures.Of(whole)); // optimizer state came back too
        Assert.True(IsFull(Names[^1]), "an activation begins a chain of its own");
        Assert.Equal(Figures.Of(whole), Figures.Of((await Start()).State));
    }

    [Fact]
    public async Task A_full_snapshot_follows_when_increments_are_more_than_half_of_one_and_old_chains_go()
    {
        var (state, keeper) = await Start();
        var full = new List<bool>();
        for (var i = 0; i < 20; i++)
        {
            await PushAndSave(state, keeper, i, users: i == 0 ? Users : Users * 3 / 10);
            full.Add(IsFull(Names[^1]));
            Assert.InRange(Names.Length, Math.Min(i + 1, SnapshotStore.Kept), 6);
            Assert.True(IsFull(Names[0]), "the oldest file builds on none");
            Assert.Equal(
                SnapshotFile.Peek(Path.Combine(Folder, Names[0])).Partitions[0].AppliedThrough, keeper.SavedThrough("examples/0"));
        }

        Assert.Equal([true, false, false, true, false, false, true], full.Take(7));
        var oldest = keeper.SavedThrough("examples/0");
        Assert.InRange(oldest, 1, 19);
        Assert.Equal(oldest, (await Start()).Keeper.SavedThrough("examples/0"));
    }

    [Fact]
    public async Task After_a_save_that_failed_the_next_is_full_and_has_everything()
    {
        var (state, keeper) = await Start();
        await PushAndSave(state, keeper, 0);
        await PushAndSave(state, keeper, 1);
        var blocked = Directory.CreateDirectory(
            Path.Combine(Folder, $"{keeper.Epoch:D16}-{keeper.Sequence + 1:D12}.increment.snap.tmp")); // in the way of the file
        await Assert.ThrowsAnyAsync<Exception>(() => PushAndSave(state, keeper, 2));
        blocked.Delete();
        Assert.Equal(2, Names.Length);
        await PushAndSave(state, keeper, 3);
        Assert.True(IsFull(Names[^1]));
        await PushAndSave(state, keeper, 4);
        Assert.False(IsFull(Names[^1]));
        Assert.Equal(Figures.Of(state), Figures.Of((await Start()).State));
    }

    [Fact]
    public async Task A_snapshot_at_the_sequence_of_the_one_before_replaces_none_that_it_builds_on()
    {
        var (state, keeper) = await Start();
        await PushAndSave(state, keeper, 0);
        await PushAndSave(state, keeper, 1);
        for (var i = 0; i < 2; i++)
        {
            var at = state.Offsets.Of("examples/0").AppliedThrough;
            var watermark = state.Offsets.WatermarkMs;
            state.Push(Pushes.Of(Spec, Pushes.Span(at, at + 5, watermarkMs: watermark), [], []) with { Counts = [] }, out _);
            await keeper.SaveAsync();
            Assert.Equal(Figures.Of(state), Figures.Of((await Start()).State));
        }
    }

    [Fact]
    public async Task What_a_deletion_that_was_cut_off_left_is_not_used_and_goes_next_time()
    {
        var (state, keeper) = await Start();
        await PushAndSave(state, keeper, 0);
        await PushAndSave(state, keeper, 1);
        var (first, left) = (Names, Names.Select(n => File.ReadAllBytes(Path.Combine(Folder, n))).ToArray());
        for (var i = 2; first.Any(n => Names.Contains(n)); i++)
        {
            Assert.InRange(i, 2, 3 * IncrementChain.LengthMax);
            await PushAndSave(state, keeper, i);
        }

        await File.WriteAllBytesAsync(Path.Combine(Folder, first[0]), left[0], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(Folder, first[1] + ".tmp"), "half", TestContext.Current.CancellationToken);
        var (restored, goesOn) = await Start();
        Assert.Equal(Figures.Of(state), Figures.Of(restored));
        await PushAndSave(restored, goesOn, 99);
        Assert.DoesNotContain(first[0], Names);
        Assert.Empty(Directory.GetFiles(Folder, "*.tmp"));
    }

    private static bool IsFull(string name) => !name.EndsWith(".increment.snap", StringComparison.Ordinal);

    // Independent of what headers say: the newest full one before, and all between.
    private static string[] ChainOf(string name, string[] names)
    {
        var upTo = names[..(Array.IndexOf(names, name) + 1)];
        return upTo[Array.FindLastIndex(upTo, IsFull)..];
    }

    private static async Task Harm(string path, byte[] good, bool gone)
    {
        File.Delete(path);
        if (!gone)
        {
            var bytes = good.ToArray();
            bytes[new Random(bytes.Length).Next(bytes.Length)] ^= 4;
            await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        }
    }

    // The first push has all users, later ones a few; items come and expire.
    private static async Task PushAndSave(ShardState state, PartKeeper keeper, int i, int? users = null)
    {
        var at = state.Offsets.Of("examples/0").AppliedThrough;
        var push = Pushes.Of(
            Spec,
            Pushes.Span(at, at + 1, watermarkMs: at + 1),
            [.. Enumerable.Range(i * 7, users ?? (i == 0 ? Users : 5)).Select(u => (ulong)u % Users)],
            [.. Enumerable.Range(i * 3, 6).Select(n => (ulong)n)],
            (uint)(1_000_000 + (i * 1000)));
        Assert.Equal(PushOutcome.Applied, state.Push(push, out _).Outcome);
        await keeper.SaveAsync();
    }

    private async Task<(ShardState State, PartKeeper Keeper)> Start()
    {
        var state = new ShardState(Spec, 0);
        _states.Add(state);
        var services = new PartServices(
            new ModelRegistry(Spec), _folder.Path, null, TimeProvider.System, _metrics, NullLoggerFactory.Instance);
        var keeper = services.Keep(Part, state, Spec.Sync);
        await keeper.RestoreAsync();
        return (state, keeper);
    }

    // All that a restored shard must have in common with the one that was saved.
    private sealed record Figures(string Rows, long Occurrences, string Offsets, string Values)
    {
        public static Figures Of(ShardState state)
        {
            ulong[] users = [.. Enumerable.Range(0, Users).Select(u => (ulong)u)];
            ulong[] items = [.. Enumerable.Range(0, 400).Select(u => (ulong)u)];
            using var values = state.Lookup(Pushes.Lookup(Spec, users, items));
            return new Figures(
                string.Join(' ', state.Rows), state.Occurrences, string.Join(' ', state.Offsets.All), Convert.ToBase64String(values.Bytes));
        }
    }
}
