using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests.Model;

/// <summary>What a table is to hold, as plain dictionaries.</summary>
internal sealed class TableModel(TableSpec spec, EmbeddingTable fresh)
{
    /// <summary>
    /// Two ids may share a cell of the filter, so that one is admitted early; when the filter is crowded, its windows slide, and
    /// an id that fades is admitted late. Both are rare.
    /// </summary>
    private const int MostInexact = 100;

    private const int Crowded = 20_000;

    private readonly ModelDepartures _departures = new();
    private readonly EvictionOrderLaw _law = new(spec.Budget?.Evict ?? default);
    private int _inexact;

    public Dictionary<ulong, ModelRow> Rows { get; private set; } = [];

    /// <summary>Occurrences of ids that were counted while they had no row.</summary>
    public Dictionary<ulong, int> Counts { get; private set; } = [];

    /// <summary>Ids changed since the last drain.</summary>
    public HashSet<ulong> Updated { get; } = [];

    /// <summary>Ids that left since the last drain and did not come back.</summary>
    public HashSet<ulong> Deleted { get; } = [];

    public uint Newest { get; private set; }

    /// <summary>As after a restore: what is not part of a snapshot is forgotten.</summary>
    public TableModel Copy() => new(spec, fresh)
    {
        Rows = Rows.ToDictionary(row => row.Key, row => row.Value.Copy()),
        Counts = new(Counts),
        Newest = Newest,
    };

    public void Update(EmbeddingTable table, ulong[] ids, float[] gradients, int[] occurrences, uint[] seconds)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            Newest = Math.Max(Newest, seconds[i]);
            var gradient = gradients.AsSpan(i * ModelRow.Width, ModelRow.Width);
            if (Rows.TryGetValue(ids[i], out var row))
            {
                row.Learn(gradient, occurrences[i], occurrences[i], seconds[i]);
                Touched(ids[i]);
                continue;
            }

            row = new ModelRow(fresh.Read(ids[i]));
            if (spec.Admission is AdmitByShare or AdmitByChance)
            {
                row.Undecided = (gradient.ToArray(), occurrences[i], seconds[i]);
                Rows.Add(ids[i], row);
            }
            else if (Admitted(ids[i], occurrences[i]) is var admitted and > 0)
            {
                row.Learn(gradient, occurrences[i], admitted, seconds[i]);
                row.IsNew = true;
                Rows.Add(ids[i], row);
                Touched(ids[i]);
            }
        }

        var evicted = table.Evicted;
        table.Update(ids, gradients, occurrences, seconds);
        Settle(table, ids, evicted);
    }

    public void Assign(EmbeddingTable table, ulong[] ids, float[] values)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            var row = Rows.TryGetValue(ids[i], out var old) ? old : Rows[ids[i]] = new ModelRow(fresh.Read(ids[i]));
            values.AsSpan(i * ModelRow.Width, ModelRow.Width).CopyTo(row.Values);
            Touched(ids[i]);
        }

        table.Assign(ids, values);
        Settle(table, ids);
    }

    public void Delete(EmbeddingTable table, ulong[] ids)
    {
        table.Delete(ids);
        foreach (var id in ids)
        {
            Leave([id], Leaving.Deleted);
        }

        Settle(table, []);
    }

    public void Expire(EmbeddingTable table, uint expiry)
    {
        Leave([.. Rows.Where(row => Newest - row.Value.Seconds >= expiry).Select(row => row.Key)], Leaving.Expired);
        // A sweep takes several calls, and begins a sub-table again that shrinks meanwhile.
        var before = table.Count;
        var freed = 0;
        for (var call = 0; call < 40 + (before / 25); call++)
        {
            freed += table.Expire(300);
        }

        Assert.Equal(before - Rows.Count, freed);
        Settle(table, []);
    }

    /// <summary>Every row of the table, bit for bit, and no other: after this the two are equal.</summary>
    public void Settle(EmbeddingTable table, ulong[] batch, long evictedBefore = long.MaxValue)
    {
        var found = 0L;
        table.ForEachRow((id, seconds, occurrences, bytes) =>
        {
            if (!Rows.TryGetValue(id, out var row))
            {
                row = Inexact(id, batch, seconds, occurrences, bytes);
            }
            else if (row.Undecided is { } push)
            {
                Decide(id, row, push, occurrences);
            }
            else if (row.IsNew && (occurrences > row.Occurrences || (occurrences < row.Occurrences && Counts.Count > Crowded)))
            {
                row = Inexact(id, batch, seconds, occurrences, bytes);
            }

            row.IsNew = false;
            found++;
            if (!row.Matches(spec.Precision, seconds, occurrences, bytes))
            {
                Assert.Fail(
                    $"row {id} is not as the model's: {seconds} s, {occurrences} occurrences, {Convert.ToHexString(bytes)}; " +
                    $"the model has {row.Seconds} s, {row.Occurrences} occurrences, {string.Join(' ', row.Accumulators)}");
            }
        });
        Refuse(table, batch);
        if (table.Evicted - evictedBefore > Rows.Count - found)
        {
            AddEvictedAtOnce(table, batch);
        }

        if (found < Rows.Count)
        {
            Evict(table);
        }

        Assert.Equal(Rows.Count, found);
        Assert.Equal(found, table.Count);
        Assert.True(table.Count <= (spec.Budget?.MaxRows ?? long.MaxValue));
    }

    public void CheckEnd() => _law.Check();

    /// <summary>What is known of an id.</summary>
    public void Explain(EmbeddingTable table, ulong id)
    {
        var report = table.Explain(id);
        if (Rows.TryGetValue(id, out var row))
        {
            Assert.Equal((IdStanding.Present, row.Seconds, row.Occurrences), (report.Standing, report.LastSeconds!.Value, report.Occurrences));
            Assert.Equal(row.Values, report.Values);
        }
        else
        {
            var count = Counts.Count > Crowded ? 0 : Counts.GetValueOrDefault(id);
            Assert.InRange(report.Occurrences, Math.Min(15, count), 15);
            Assert.Equal(
                report.Occurrences > 0 ? IdStanding.Refused : report.Departure is null ? IdStanding.Unknown : IdStanding.Gone, report.Standing);
            Assert.Equal(spec.Unseen == UnseenValue.Zeros ? new float[ModelRow.Width] : fresh.Read(id), report.Values);
        }

        _departures.Check(id, report.Departure);
    }

    private int Admitted(ulong id, int occurrences)
    {
        if (spec.Admission is not AdmitAfter after)
        {
            return occurrences;
        }

        var before = Counts.GetValueOrDefault(id);
        Counts[id] = before + occurrences;
        return Math.Clamp(before + occurrences - after.Threshold, 0, occurrences);
    }

    private void Decide(ulong id, ModelRow row, (float[] Gradient, int Occurrences, uint Seconds) push, int admitted)
    {
        Assert.InRange(admitted, spec.Admission is AdmitByShare ? push.Occurrences : 1, push.Occurrences);
        row.Learn(push.Gradient, push.Occurrences, admitted, push.Seconds);
        row.Undecided = null;
        Touched(id);
    }

    /// <summary>Those that chance did not admit, or a filter whose windows slid.</summary>
    private void Refuse(EmbeddingTable table, ulong[] batch)
    {
        foreach (var id in batch)
        {
            if (Rows.TryGetValue(id, out var row) && row.Undecided is { } push)
            {
                Assert.True(spec.Admission is not AdmitByShare share || push.Occurrences < share.Threshold);
                Rows.Remove(id);
            }
            else if (row is { IsNew: true } && Counts.Count > Crowded && table.Explain(id) is { Standing: IdStanding.Refused } report
                && report.Occurrences <= ((AdmitAfter)spec.Admission).Threshold)
            {
                Assert.True(++_inexact <= MostInexact);
                Counts[id] = report.Occurrences;
                Rows.Remove(id);
                Updated.Remove(id);
            }
        }
    }

    private ModelRow Inexact(ulong id, ulong[] batch, uint seconds, int occurrences, ReadOnlySpan<byte> bytes)
    {
        Assert.True(spec.Admission is AdmitAfter && batch.Contains(id) && ++_inexact <= MostInexact, $"id {id} has a row and should have none");
        var row = Rows[id] = new ModelRow(new float[ModelRow.Width]) { Seconds = seconds, Occurrences = occurrences };
        Touched(id);
        // Its share is not known here: what it learned is taken as it is.
        var state = bytes.Length - 8;
        row.Accumulators[0] = BitConverter.ToSingle(bytes[state..]);
        row.Accumulators[1] = BitConverter.ToSingle(bytes[(state + 4)..]);
        row.Matches(spec.Precision, seconds, occurrences, bytes);
        return row;
    }

    /// <summary>Those of a batch that a shared cell admitted early and the budget evicted before anybody saw their row.</summary>
    private void AddEvictedAtOnce(EmbeddingTable table, ulong[] batch)
    {
        foreach (var id in batch.Where(id => !Rows.ContainsKey(id)))
        {
            if (table.Explain(id).Departure is { Why: Leaving.Evicted } departure && !_departures.Knows(departure))
            {
                Assert.True(spec.Admission is AdmitAfter && ++_inexact <= MostInexact);
                Rows[id] = new ModelRow(new float[ModelRow.Width]) { Seconds = departure.LastSeconds, Occurrences = departure.Occurrences };
            }
        }
    }

    private void Evict(EmbeddingTable table)
    {
        var most = spec.Budget?.MaxRows;
        Assert.True(most is not null, $"{Rows.Count - table.Count} rows are missing");
        Assert.Equal(most, table.Count);
        var gone = Rows.Where(row => !table.Index.TryFind(row.Key, out _)).ToArray();
        Leave([.. gone.Select(row => row.Key)], Leaving.Evicted);
        _law.Add(gone.Select(row => row.Value), Rows.Values);
    }

    private void Leave(ulong[] ids, Leaving why)
    {
        var left = ids.Where(Rows.ContainsKey).Select(id => new Departure(id, why, Newest, Rows[id].Seconds, Rows[id].Occurrences)).ToArray();
        _departures.Add(left);
        foreach (var departure in left)
        {
            Rows.Remove(departure.Id);
            Updated.Remove(departure.Id);
            Deleted.Add(departure.Id);
        }
    }

    private void Touched(ulong id)
    {
        Updated.Add(id);
        Deleted.Remove(id);
    }
}
