namespace Monolith.Events;

/// <summary>The event log could not do what was asked; the message says what and what to do.</summary>
public class EventLogException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public EventLogException()
    {
    }

    /// <summary>Makes one.</summary>
    public EventLogException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with its cause.</summary>
    public EventLogException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether what was asked may have happened all the same.</summary>
    public bool OutcomeUnknown { get; init; }
}

/// <summary>Somebody else has taken over; stop.</summary>
public sealed class FencedException : EventLogException
{
    /// <summary>Makes one without a message.</summary>
    public FencedException()
    {
    }

    /// <summary>Makes one.</summary>
    public FencedException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with its cause.</summary>
    public FencedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
