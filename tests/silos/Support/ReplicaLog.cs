using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Monolith.Serving.Replica;

namespace Monolith.Silos.Tests.Support;

/// <summary>What a replica says of the bases and deltas it reads.</summary>
public sealed class ReplicaLog : ILogger<ParameterReplica>
{
    private readonly ConcurrentQueue<string> _messages = [];

    /// <summary>The bases of shards it read.</summary>
    public string[] Bases =>
        [.. _messages.Select(m => m.Split(" from ")).Where(m => m[0].Contains(" loaded at ", StringComparison.Ordinal)).Select(m => m[1].TrimEnd('.'))];

    public bool Says(string words) => _messages.Any(m => m.Contains(words, StringComparison.Ordinal));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _messages.Enqueue($"{formatter(state, exception)} {exception?.Message}".TrimEnd());
}
