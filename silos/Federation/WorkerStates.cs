using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;

namespace Monolith.Silos.Federation;

/// <summary>
/// The local optimizers' state by worker, kept with the dense parameters: a worker that comes back goes on from its own; a
/// new one starts from the mean of the others', so that its first steps have the size of theirs.
/// </summary>
internal sealed class WorkerStates
{
    /// <summary>Workers remembered; beyond, the one that reported longest ago is forgotten.</summary>
    public const int Max = 64;

    /// <summary>
    /// A new worker does not start from the state of one that reported more than so many rounds before the newest: that is gone, and
    /// its gradients were those of another model.
    /// </summary>
    public const int RoundsMax = Rounds.MissesMax;

    private readonly Dictionary<string, (float[] State, long Round)> _states = new(StringComparer.Ordinal);

    /// <summary>Keeps a worker's newest state; an empty one changes nothing.</summary>
    public void Keep(string worker, ReadOnlySpan<float> state, long round)
    {
        if (state.IsEmpty)
        {
            return;
        }

        if (_states.TryGetValue(worker, out var kept) && kept.State.Length == state.Length)
        {
            state.CopyTo(kept.State);
            _states[worker] = (kept.State, round);
            return;
        }

        if (kept.State is null && _states.Count >= Max)
        {
            _states.Remove(_states.OrderBy(s => s.Value.Round).ThenBy(s => s.Key, StringComparer.Ordinal).First().Key);
        }

        _states[worker] = (state.ToArray(), round);
    }

    /// <summary>What a joining worker starts from: its own, else the mean of those of late, else nothing.</summary>
    public float[] StartOf(string worker)
    {
        if (_states.TryGetValue(worker, out var own))
        {
            return own.State;
        }

        // In the order of names, so that the sum does not depend on history. A state of another length is of another
        // optimizer and has no mean with the rest.
        var others = _states.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value).ToList();
        if (others.Count == 0)
        {
            return [];
        }

        var (newest, round) = others.MaxBy(o => o.Round);
        others.RemoveAll(o => o.State.Length != newest.Length || o.Round < round - RoundsMax);
        var mean = new float[newest.Length];
        foreach (var (state, _) in others)
        {
            TensorPrimitives.Add(mean, state, mean);
        }

        TensorPrimitives.Multiply(mean, 1f / others.Count, mean);
        return mean;
    }

    public void Save(Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(_states.Count);
        foreach (var (worker, (state, round)) in _states.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            writer.Write(worker);
            writer.Write(round);
            writer.Write(state.Length);
            writer.Write(MemoryMarshal.AsBytes<float>(state));
        }
    }

    public void Load(Stream stream)
    {
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        var count = reader.ReadInt32();
        for (var i = 0; i < count; i++)
        {
            var worker = reader.ReadString();
            var round = reader.ReadInt64();
            var state = new float[reader.ReadInt32()];
            stream.ReadExactly(MemoryMarshal.AsBytes(state.AsSpan()));
            _states.Add(worker, (state, round));
        }
    }
}
