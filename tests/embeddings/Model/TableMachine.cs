using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Model;

/// <summary>What is done in one step.</summary>
/// <param name="Kind">0 to 99: which operation.</param>
/// <param name="From">First of the ids, 0 to 999 of a thousand.</param>
/// <param name="Size">How many, 1 to 999 of a thousand.</param>
/// <param name="Time">Seconds that pass.</param>
internal sealed record Step(int Kind, int From, int Size, uint Time);

/// <summary>
/// A table, the replica that follows it and its snapshots, beside the model of what they have to be. Snapshots go on while
/// the table is used; what they held at their beginning is compared when they are restored.
/// </summary>
internal sealed class TableMachine : IDisposable
{
    public const uint Expiry = 400;
    private readonly TableSpec _spec;
    private readonly int _ids;
    private readonly EmbeddingTable _fresh;
    private readonly List<byte[]> _chain = [];
    private EmbeddingTable _table;
    private EmbeddingTable _replica;
    private TableModel _model;
    private TableModel? _saved;
    private (TableSnapshot Snapshot, MemoryStream Stream, TableModel Model)? _underWay;
    private bool _hasBase;
    private uint _now = 1000;
    private int _number;

    public TableMachine(TableSpec spec, int ids)
    {
        (_spec, _ids) = (spec, ids);
        _fresh = New(new TableSpec { Name = spec.Name, Segments = spec.Segments, Precision = spec.Precision });
        _table = New(spec);
        _replica = New(spec, TableContent.Values);
        _model = new TableModel(spec, _fresh);
    }

    public void Do(Step step)
    {
        _number++;
        ulong[] ids = [.. Enumerable.Range(step.From * _ids / 1000, Math.Max(1, step.Size * _ids / 1000)).Select(Id)];
        switch (step.Kind)
        {
            case < 40:
                Update(ids, step);
                break;
            case < 47:
                _model.Assign(_table, ids, [.. ids.SelectMany((id, i) => new[] { (i % 64) / 4f, -1, (id % 9) / 8f })]);
                break;
            case < 55:
                _model.Delete(_table, ids);
                break;
            case < 62 when _spec.Expiry is not null:
                _model.Expire(_table, Expiry);
                break;
            case < 70:
                Follow();
                break;
            case < 80:
                BeginSnapshot(step.Size % 3 == 0 ? SnapshotKind.Full : SnapshotKind.Incremental);
                break;
            case < 88:
                CompleteSnapshot();
                break;
            case < 89:
                AbandonSnapshot();
                break;
            case < 94:
                Restore();
                break;
            case < 97:
                Reshard(2 << (step.Size % 3));
                break;
            default:
                Array.ForEach(ids[..Math.Min(ids.Length, 50)], id => _model.Explain(_table, id));
                break;
        }

        // A snapshot under way goes on now and then: some of what is done falls before it, some behind.
        if (step.Time % 4 == 0)
        {
            _underWay?.Snapshot.Step();
        }
    }

    /// <summary>What is read: rows, and ids without.</summary>
    public void Compare()
    {
        var stride = Math.Max(1, _ids / 4000);
        ulong[] ids = [.. Enumerable.Range(0, 2 * _ids / stride).Select(i => Id(i * stride))];
        var values = _table.Read(ids);
        for (var i = 0; i < ids.Length; i++)
        {
            var expected = _model.Rows.TryGetValue(ids[i], out var row) ? row.Values
                : _spec.Unseen == UnseenValue.Zeros ? new float[ModelRow.Width] : _fresh.Read(ids[i]);
            if (!values.AsSpan(i * ModelRow.Width, ModelRow.Width).SequenceEqual(expected))
            {
                Assert.Fail($"id {ids[i]} does not read {string.Join(' ', expected)}");
            }
        }
    }

    public void Validate() => _table.Validate();

    public void CheckEnd() => _model.CheckEnd();

    public void Dispose()
    {
        _underWay?.Snapshot.Dispose();
        _table.Dispose();
        _replica.Dispose();
        _fresh.Dispose();
    }

    /// <summary>Ids spread over all 64 bits, both ends included.</summary>
    private static ulong Id(int i) => i switch { 0 => 0, 1 => ulong.MaxValue, _ => (ulong)i * 0x9e3779b97f4a7c15UL };

    private static EmbeddingTable New(TableSpec spec, TableContent content = TableContent.Training) => new(spec, seed: 1, content);

    private void Update(ulong[] ids, Step step)
    {
        _now += step.Time;
        var random = new Random(_number + step.Size);
        var gradients = Enumerable.Range(0, ids.Length * ModelRow.Width).Select(_ => random.Next(-8, 9) / 8f).ToArray();
        var occurrences = ids.Select(_ => random.Next(1, 4)).ToArray();
        // Some events are late.
        var seconds = ids.Select(_ => random.Next(4) == 0 ? _now - (uint)random.Next(200) : _now).ToArray();
        _model.Update(_table, ids, gradients, occurrences, seconds);
    }

    private void Follow()
    {
        var changes = new ChangeSet();
        _table.DrainChanges(changes);
        Assert.Equal(_model.Updated.Order(), changes.Updated.ToArray().Order());
        Assert.Equal(_model.Deleted.Order(), changes.Deleted.ToArray().Order());
        _model.Updated.Clear();
        _model.Deleted.Clear();
        _replica.Delete(changes.Deleted);
        var rows = new byte[changes.Updated.Length * new ServedRow(_spec).Bytes];
        _table.LookupServed(changes.Updated, rows);
        _replica.AssignServed(changes.Updated, rows);
        CompareReplica();
    }

    private void CompareReplica()
    {
        ulong[] ids = [.. _model.Rows.Keys];
        Assert.Equal(_table.Count, _replica.Count);
        Assert.Equal(_table.Read(ids), _replica.Read(ids));
    }

    private void BeginSnapshot(SnapshotKind kind)
    {
        CompleteSnapshot();
        var stream = new MemoryStream();
        var snapshot = _table.BeginSnapshot(kind, stream);
        Assert.Equal(_hasBase ? kind : SnapshotKind.Full, snapshot.Kind);
        _underWay = (snapshot, stream, _model.Copy());
    }

    private void CompleteSnapshot()
    {
        if (_underWay is not { } done)
        {
            return;
        }

        done.Snapshot.Complete();
        done.Snapshot.Dispose();
        if (done.Snapshot.Kind == SnapshotKind.Full)
        {
            _chain.Clear();
        }

        _chain.Add(done.Stream.ToArray());
        (_saved, _underWay, _hasBase) = (done.Model, null, true);
        using var copy = Loaded(TableContent.Training);
        _saved.Copy().Settle(copy, []);
    }

    private void AbandonSnapshot()
    {
        if (_underWay is { } left)
        {
            left.Snapshot.Dispose();
            (_underWay, _hasBase) = (null, false);
        }
    }

    /// <summary>The table is lost and comes back as the last completed snapshot left it.</summary>
    private void Restore()
    {
        if (_saved is not null)
        {
            AbandonSnapshot();
            ComeBack(Loaded(TableContent.Training), Loaded(TableContent.Values));
            _hasBase = true;
        }
    }

    /// <summary>The same by way of shards: one table becomes several, and those become one again.</summary>
    private void Reshard(int shards)
    {
        if (_saved is null)
        {
            return;
        }

        AbandonSnapshot();
        var (table, replica) = (New(_spec), New(_spec, TableContent.Values));
        for (var shard = 0; shard < shards; shard++)
        {
            using var part = New(_spec);
            part.LoadShare([.. _chain.Select(snapshot => new MemoryStream(snapshot))], shard, shards);
            part.Validate();
            part.ForEachRow((id, _, _, _) => Assert.Equal(shard, ShardMap.Of(id, shards)));
            var stream = new MemoryStream();
            part.Save(stream);
            stream.Position = 0;
            table.LoadShare([stream], 0, 1);
            stream.Position = 0;
            replica.LoadShare([stream], 0, 1);
        }

        ComeBack(table, replica);
        _hasBase = false;
    }

    private void ComeBack(EmbeddingTable table, EmbeddingTable replica)
    {
        _table.Dispose();
        _replica.Dispose();
        (_table, _replica, _model) = (table, replica, _saved!.Copy());
        _table.Validate();
        _model.Settle(_table, []);
        CompareReplica();
    }

    private EmbeddingTable Loaded(TableContent content)
    {
        var table = New(_spec, content);
        table.Load(new MemoryStream(_chain[0]));
        _chain.Skip(1).ToList().ForEach(increment => table.LoadIncrement(new MemoryStream(increment)));
        return table;
    }
}
