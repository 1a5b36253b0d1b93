using System.Globalization;

namespace Monolith.Contracts.Events;

/// <summary>A batch has more events than are allowed; no more than these were read.</summary>
/// <param name="max">Events that are allowed.</param>
public sealed class TooManyEventsException(int max)
    : Exception(string.Create(CultureInfo.InvariantCulture, $"It has more than {max:N0} events; at most {max:N0} are allowed."));
