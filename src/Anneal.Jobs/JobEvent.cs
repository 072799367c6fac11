namespace Anneal.Jobs;

/// <summary>How serious an event is.</summary>
public enum EventLevel
{
    /// <summary>Wire name <c>info</c>.</summary>
    Info,

    /// <summary>Wire name <c>warn</c>.</summary>
    Warn,

    /// <summary>Wire name <c>error</c>.</summary>
    Error,
}

/// <summary>Something that happened to a job, as the user reads it.</summary>
public sealed record JobEvent
{
    /// <summary><c>ftevent-</c> and 24 letters and digits; never changes.</summary>
    public required string Id { get; init; }

    /// <summary>The job it belongs to.</summary>
    public required string JobId { get; init; }

    /// <summary>1, 2, 3 … within the job, without gaps, in the order of commit.</summary>
    public required long Sequence { get; init; }

    /// <summary>When it was stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How serious it is.</summary>
    public required EventLevel Level { get; init; }

    /// <summary>For people.</summary>
    public required string Message { get; init; }

    /// <summary>The training step that the event measures; null for messages. A job has at most one event a step.</summary>
    public int? Step { get; init; }

    /// <summary>A JSON object of measurements; null for messages.</summary>
    public string? DataJson { get; init; }

    /// <summary>Wire name of the kind: <c>metrics</c> or <c>message</c>.</summary>
    public string Type => Step is null ? "message" : "metrics";
}

/// <summary>An event as a worker reports it.</summary>
/// <param name="RunSequence">1, 2, 3 … within the run. A batch that is sent twice is stored once.</param>
/// <param name="Level">How serious it is.</param>
/// <param name="Message">For people. At most <see cref="Limits.EventMessageCharsMax"/> characters.</param>
/// <param name="Step">
/// The step measured, or null for a message. A step that the job already has is dropped: a resumed run repeats the steps
/// since its run state, with the same numbers.
/// </param>
/// <param name="DataJson">A JSON object for a measurement, null for a message.</param>
public sealed record RunEvent(long RunSequence, EventLevel Level, string Message, int? Step, string? DataJson);

/// <summary>The names of <see cref="EventLevel"/> on the wire and in the database.</summary>
public static class EventLevelNames
{
    /// <summary>The wire name.</summary>
    public static string ToName(this EventLevel level) => level switch
    {
        EventLevel.Info => "info",
        EventLevel.Warn => "warn",
        EventLevel.Error => "error",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Not an event level."),
    };

    /// <summary>The level with this wire name.</summary>
    /// <exception cref="FormatException">No level has this name.</exception>
    public static EventLevel Parse(string name) => name switch
    {
        "info" => EventLevel.Info,
        "warn" => EventLevel.Warn,
        "error" => EventLevel.Error,
        _ => throw new FormatException($"'{name}' is not an event level."),
    };
}
