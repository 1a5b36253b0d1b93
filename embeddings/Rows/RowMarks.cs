using System.Runtime.CompilerServices;

namespace Monolith.Embeddings.Rows;

/// <summary>
/// What a row carries beside values and state, 6 bytes:
/// <code>
/// bytes 0–3   newest event time, Unix seconds
/// bytes 4–5   bit 0      changed since the last drain
///             bit 1      changed since the last snapshot
///             bit 2      already in the snapshot under way
///             bits 3–15  occurrences learned from, at most 8,191
/// </code>
/// </summary>
internal static unsafe class RowMarks
{
    /// <summary>Bytes a row.</summary>
    public const int Bytes = 6;

    /// <summary>Changed since the last drain.</summary>
    public const ushort Drain = 1;

    /// <summary>Changed since the last snapshot.</summary>
    public const ushort Snapshot = 2;

    /// <summary>Already in the snapshot under way (or not part of it).</summary>
    public const ushort Captured = 4;

    /// <summary>The largest number of occurrences told apart.</summary>
    public const int MaxOccurrences = 8191;

    private const int CountShift = 3;
    private const ushort FlagsMask = 7;

    /// <summary>Newest event time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Seconds(byte* marks) => Unsafe.ReadUnaligned<uint>(marks);

    /// <summary>Sets the newest event time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetSeconds(byte* marks, uint seconds) => Unsafe.WriteUnaligned(marks, seconds);

    /// <summary>The flags (and the occurrences).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref ushort Flags(byte* marks) => ref *(ushort*)(marks + 4);

    /// <summary>Occurrences learned from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Occurrences(byte* marks) => Flags(marks) >> CountShift;

    /// <summary>Notes an update.</summary>
    /// <returns>The flags from before it.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Touch(byte* marks, uint seconds, int occurrences)
    {
        var old = Flags(marks);
        SetSeconds(marks, Math.Max(Seconds(marks), seconds));
        var count = (int)Math.Min(MaxOccurrences, (uint)(old >> CountShift) + (uint)occurrences);
        Flags(marks) = (ushort)((count << CountShift) | (old & FlagsMask) | Drain | Snapshot);
        return old;
    }

    /// <summary>Writes all of it.</summary>
    public static void Set(byte* marks, uint seconds, int occurrences, ushort flags)
    {
        SetSeconds(marks, seconds);
        Flags(marks) = (ushort)((Math.Min(MaxOccurrences, occurrences) << CountShift) | flags);
    }
}
