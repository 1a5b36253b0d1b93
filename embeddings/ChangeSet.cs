using System.Runtime.InteropServices;

namespace Monolith.Embeddings;

/// <summary>Ids that changed since the last drain, each once; reused from drain to drain.</summary>
public sealed class ChangeSet
{
    private readonly List<ulong> _updated = [];
    private readonly List<ulong> _deleted = [];

    /// <summary>Ids whose row is new or has other values.</summary>
    public ReadOnlySpan<ulong> Updated => CollectionsMarshal.AsSpan(_updated);

    /// <summary>Ids whose row is gone (expired, evicted or deleted).</summary>
    public ReadOnlySpan<ulong> Deleted => CollectionsMarshal.AsSpan(_deleted);

    /// <summary>True when nothing changed.</summary>
    public bool IsEmpty => _updated.Count == 0 && _deleted.Count == 0;

    /// <summary>Empties the set and keeps its memory.</summary>
    public void Clear()
    {
        _updated.Clear();
        _deleted.Clear();
    }

    internal void AddUpdated(ulong id) => _updated.Add(id);

    internal void AddDeleted(ulong id) => _deleted.Add(id);
}
