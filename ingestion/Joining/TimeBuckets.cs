using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>Values by time bucket, taken oldest first, a whole bucket at once.</summary>
internal sealed class TimeBuckets<T>
    where T : new()
{
    private readonly SortedDictionary<long, T> _buckets = [];

    /// <summary>The oldest bucket; <see cref="long.MaxValue"/> when there is none.</summary>
    public long Oldest
    {
        get
        {
            foreach (var bucket in _buckets.Keys)
            {
                return bucket;
            }

            return long.MaxValue;
        }
    }

    public T this[long bucket] => _buckets.TryGetValue(bucket, out var value) ? value : _buckets[bucket] = new T();

    public bool TryGet(long bucket, out T value) => _buckets.TryGetValue(bucket, out value!);

    public void Put(long bucket, T value) => _buckets[bucket] = value;

    public void Save(CheckpointWriter to, Action<T> value)
    {
        to.Value(_buckets.Count);
        foreach (var (bucket, values) in _buckets)
        {
            to.Value(bucket);
            value(values);
        }
    }

    public void Load(CheckpointReader from, Func<T> value)
    {
        for (var count = from.Value<int>(); count > 0; count--)
        {
            _buckets[from.Value<long>()] = value();
        }
    }

    /// <summary>Takes the oldest bucket if it is at most <paramref name="through"/>.</summary>
    public bool TryTake(long through, out long bucket, out T value)
    {
        bucket = Oldest;
        value = default!;
        return bucket <= through && _buckets.Remove(bucket, out value!);
    }
}
