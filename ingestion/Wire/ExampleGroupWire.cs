using System.Buffers.Binary;

namespace Monolith.Ingestion.Wire;

/// <summary>What an example says of one task.</summary>
/// <param name="Present">Whether it says anything.</param>
/// <param name="Value">The label.</param>
/// <param name="KeepRate">Share of the task's negatives that sampling keeps; 1 without.</param>
/// <param name="Weight">Its weight in the task's loss; 1 by default.</param>
internal readonly record struct TaskLabel(bool Present, float Value, float KeepRate, float Weight);

/// <summary>
/// Writes an <c>ExampleGroup</c> from an impression's bytes: shared features and an item's features have the same field
/// numbers in both messages, so they are copied as they are, values this version does not know included.
/// </summary>
internal ref struct ExampleGroupWire(Arena arena)
{
    private const byte SharedTag = (4 << 3) | WireType.Bytes;
    private const byte ExampleTag = (5 << 3) | WireType.Bytes;
    private const byte LabelTag = (3 << 3) | WireType.Bytes;
    private const int LabelBytes = 20;
    private const byte ScoreTag = (5 << 3) | WireType.Fixed32;
    private readonly Arena _arena = arena;
    private Span<byte> _to;
    private int _at;

    /// <summary>Begins a group; <paramref name="maxBytes"/> bounds what will be written.</summary>
    public void Begin(int maxBytes)
    {
        _to = _arena.Reserve(maxBytes);
        _at = 0;
    }

    /// <summary>An upper bound of the bytes of a group without shared features and examples.</summary>
    public static int MaxHeadBytes(int requestIdBytes) => requestIdBytes + 128;

    /// <summary>An upper bound of the bytes of an example.</summary>
    public static int MaxExampleBytes(int itemBytes, int tasks) => itemBytes + 24 + (tasks * LabelBytes);

    public void Head(scoped ReadOnlySpan<byte> requestId, long eventTimeMs, long emittedTimeMs, long canarySentMs)
    {
        Bytes((1 << 3) | WireType.Bytes, requestId);
        Number((2 << 3) | WireType.Varint, eventTimeMs);
        Number((3 << 3) | WireType.Varint, emittedTimeMs);
        if (canarySentMs != 0)
        {
            Number((6 << 3) | WireType.Varint, canarySentMs);
        }
    }

    /// <summary>Copies the shared features of an impression.</summary>
    public void Shared(scoped ReadOnlySpan<byte> impression)
    {
        var reader = new ProtoReader(impression);
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            if (field == 4)
            {
                reader.TryBytes(out var entry);
                Bytes(SharedTag, entry);
            }
            else
            {
                reader.TrySkip(wireType);
            }
        }
    }

    /// <summary>Adds an example: an item's id and features, its labels and its served score.</summary>
    public void Example(scoped ReadOnlySpan<byte> item, scoped ReadOnlySpan<TaskLabel> labels)
    {
        // The content comes first, behind room for the longest length; then the length, moved up to it.
        var start = _at;
        _at += 6;
        var content = _at;
        var score = CopyItem(item);
        foreach (var label in labels)
        {
            Label(label);
        }

        if (score is { } bits)
        {
            _to[_at++] = ScoreTag;
            Fixed32(bits);
        }

        var length = _at - content;
        var end = start;
        _to[end++] = ExampleTag;
        end += Varint(_to[end..], (ulong)length);
        _to.Slice(content, length).CopyTo(_to[end..]);
        _at = end + length;
    }

    /// <summary>Ends the group and returns its bytes.</summary>
    public readonly ReadOnlyMemory<byte> End() => _arena.Take(_at);

    private uint? CopyItem(scoped ReadOnlySpan<byte> item)
    {
        uint? score = null;
        var reader = new ProtoReader(item);
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            if (!reader.TryTag(out var field, out var wireType))
            {
                break;
            }

            if (field == 3)
            {
                reader.TryFixed32(out var bits);
                score = bits;
                continue;
            }

            reader.TrySkip(wireType);
            if (field <= 2)
            {
                var bytes = item[start..reader.Position];
                bytes.CopyTo(_to[_at..]);
                _at += bytes.Length;
            }
        }

        return score;
    }

    private void Label(TaskLabel label)
    {
        _to[_at++] = LabelTag;
        var length = _at++;
        if (label.Present)
        {
            _to[_at++] = (1 << 3) | WireType.Varint;
            _to[_at++] = 1;
            if (label.Value != 0)
            {
                _to[_at++] = (2 << 3) | WireType.Fixed32;
                Fixed32(BitConverter.SingleToUInt32Bits(label.Value));
            }

            if (label.KeepRate != 1)
            {
                _to[_at++] = (3 << 3) | WireType.Fixed32;
                Fixed32(BitConverter.SingleToUInt32Bits(label.KeepRate));
            }

            if (label.Weight != 1)
            {
                _to[_at++] = (4 << 3) | WireType.Fixed32;
                Fixed32(BitConverter.SingleToUInt32Bits(label.Weight));
            }
        }

        _to[length] = (byte)(_at - length - 1);
    }

    private void Bytes(byte tag, scoped ReadOnlySpan<byte> bytes)
    {
        _to[_at++] = tag;
        _at += Varint(_to[_at..], (ulong)bytes.Length);
        bytes.CopyTo(_to[_at..]);
        _at += bytes.Length;
    }

    private void Number(byte tag, long value)
    {
        _to[_at++] = tag;
        _at += Varint(_to[_at..], (ulong)value);
    }

    private void Fixed32(uint bits)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_to[_at..], bits);
        _at += 4;
    }

    private static int Varint(Span<byte> to, ulong value)
    {
        var at = 0;
        while (value >= 0x80)
        {
            to[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        to[at++] = (byte)value;
        return at;
    }
}
