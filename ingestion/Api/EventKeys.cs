using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Monolith.Contracts.Events;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Api;

/// <summary>What makes two events the same: 128-bit hashes, so that no two others meet.</summary>
internal static class EventKeys
{
    private enum From
    {
        ImpressionId,
        Request,
        ActionId,
        Action,
    }

    /// <summary>An impression is its event id, else its request: a request is shown once.</summary>
    public static UInt128 Of(Impression impression)
        => impression.EventId.Length > 0 ? Hash(impression.EventId, From.ImpressionId) : Hash(impression.RequestId, From.Request);

    /// <summary>An action is its event id, else all that was said of it.</summary>
    public static UInt128 Of(EventAction action)
    {
        if (action.EventId.Length > 0)
        {
            return Hash(action.EventId, From.ActionId);
        }

        var bytes = ArrayPool<byte>.Shared.Rent(action.CalculateSize());
        var used = bytes.AsSpan(0, action.CalculateSize());
        action.WriteTo(used);
        var key = XxHash128.HashToUInt128(used, (long)From.Action);
        ArrayPool<byte>.Shared.Return(bytes);
        return key;
    }

    private static UInt128 Hash(string id, From from) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(id.AsSpan()), (long)from);
}
