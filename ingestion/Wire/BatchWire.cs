using System.Globalization;
using Monolith.Contracts.Events;

namespace Monolith.Ingestion.Wire;

/// <summary>A protobuf batch of the ingest API, counted before any of its messages becomes an object.</summary>
internal static class BatchWire
{
    private const int ItemsField = 5;
    private const int VersionsField = 6;

    /// <summary>Refuses a batch with more events than are allowed, or with an event that has too many parts.</summary>
    /// <param name="batch">An <c>Impressions</c> or <c>Actions</c> message. Damage is left to the parser to refuse.</param>
    /// <param name="maxEvents">Events that are allowed.</param>
    /// <exception cref="TooManyEventsException">There are more.</exception>
    /// <exception cref="EventFormatException">An event has too many parts.</exception>
    public static void RequireFew(ReadOnlySpan<byte> batch, int maxEvents)
    {
        var events = 0;
        var reader = new ProtoReader(batch);
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            if (field != 1 || wireType != WireType.Bytes)
            {
                if (!reader.TrySkip(wireType))
                {
                    return;
                }

                continue;
            }

            if (events == maxEvents)
            {
                throw new TooManyEventsException(maxEvents);
            }

            if (!reader.TryBytes(out var one))
            {
                return;
            }

            RequireFewParts(one, events++);
        }
    }

    // An action has no fields of these numbers and this type.
    private static void RequireFewParts(ReadOnlySpan<byte> one, int index)
    {
        var (items, versions) = (0, 0);
        var reader = new ProtoReader(one);
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType) && reader.TrySkip(wireType))
        {
            items += field == ItemsField && wireType == WireType.Bytes ? 1 : 0;
            versions += field == VersionsField && wireType == WireType.Bytes ? 1 : 0;
        }

        Require(items, EventLimits.MaxItems, index, "items");
        Require(versions, EventLimits.MaxVersions, index, "versions");
    }

    private static void Require(int found, int max, int index, string what)
    {
        if (found > max)
        {
            throw new EventFormatException(
                string.Create(CultureInfo.InvariantCulture, $"[{index}].{what}: there are {found:N0}; at most {max:N0} are allowed."));
        }
    }
}
