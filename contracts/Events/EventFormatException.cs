namespace Monolith.Contracts.Events;

/// <summary>An event that cannot be read; the message names the place, what was found and what is allowed.</summary>
public sealed class EventFormatException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public EventFormatException()
    {
    }

    /// <summary>Makes one.</summary>
    public EventFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with its cause.</summary>
    public EventFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
