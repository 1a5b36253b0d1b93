namespace Monolith.Events.Embedded;

/// <summary>The embedded log's folder and bounds.</summary>
public sealed record EmbeddedEventLogOptions
{
    /// <summary>The log's own folder; created when missing.</summary>
    public required string Folder { get; init; }

    /// <summary>
    /// Records older than this are dropped, unless a group has yet to read them. Default: 7 days.
    /// </summary>
    public TimeSpan RetentionAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// The oldest records are dropped beyond this size in bytes, unless a group has yet to read them. Default: 16 GiB.
    /// </summary>
    public long RetentionBytes { get; init; } = 16L << 30;

    /// <summary>How often retention is looked at. Default: a minute.</summary>
    public TimeSpan RetentionInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Newest bytes kept in memory for readers at the end. Default: 8 MiB.</summary>
    public int TailBytes { get; init; } = 8 << 20;

    /// <summary>Bytes that may wait for the disk; beyond it appends wait. Default: 64 MiB.</summary>
    public int PendingBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of the write buffers before they go to files. Default: 16 MiB.</summary>
    public int WriteBufferBytes { get; init; } = 16 << 20;

    /// <summary>The largest record, key and headers included, in bytes. Default: 8 MiB.</summary>
    public int MaxRecordBytes { get; init; } = 8 << 20;

    /// <summary>After a failed write, how long until the log is tried again. Default: 1 s.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock of append times.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Called before each write to the disk; what it throws is taken for the disk's answer. For tests.</summary>
    internal Action? BeforeWrite { get; init; }
}
