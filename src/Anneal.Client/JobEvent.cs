using System.Text.Json;
using System.Text.Json.Serialization;

namespace Anneal.Client;

/// <summary>Something that happened to a job.</summary>
public sealed record JobEvent
{
    /// <summary>Id, <c>ftevent-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>When it happened.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How serious it is.</summary>
    public required JobEventLevel Level { get; init; }

    /// <summary>For people.</summary>
    public required string Message { get; init; }

    /// <summary><c>message</c> or <c>metrics</c>.</summary>
    public string? Type { get; init; }

    /// <summary>As sent: an object for metrics; null or an empty object for messages.</summary>
    public JsonElement? Data { get; init; }

    /// <summary>The numbers of a metrics event of supervised training; null for anything else.</summary>
    [JsonIgnore]
    public StepMetrics? Metrics => Type == "metrics" && Data is { ValueKind: JsonValueKind.Object } data
        ? data.Deserialize(ClientJson.Default.StepMetrics)
        : null;
}

/// <summary>The numbers of one training step. Losses are mean cross-entropies of trained tokens; null where not measured.</summary>
public sealed record StepMetrics
{
    /// <summary>Number of the step, from 1.</summary>
    public int Step { get; init; }

    /// <summary>Steps of the whole job.</summary>
    public int? TotalSteps { get; init; }

    /// <summary>Loss of the step's batch.</summary>
    public double? TrainLoss { get; init; }

    /// <summary>Share of trained tokens that were the most likely one.</summary>
    public double? TrainMeanTokenAccuracy { get; init; }

    /// <summary>Loss of a sample of the validation file.</summary>
    public double? ValidLoss { get; init; }

    /// <summary>Token accuracy on a sample of the validation file.</summary>
    public double? ValidMeanTokenAccuracy { get; init; }

    /// <summary>Loss of the whole validation file.</summary>
    public double? FullValidLoss { get; init; }

    /// <summary>Token accuracy on the whole validation file.</summary>
    public double? FullValidMeanTokenAccuracy { get; init; }

    /// <summary>Tokens of the step over its time; services other than Anneal leave it out.</summary>
    public double? TokensPerSecond { get; init; }
}

/// <summary>How serious an event is. Values unknown to this version are kept as they are.</summary>
/// <param name="Value">The word on the wire.</param>
[JsonConverter(typeof(JobEventLevelConverter))]
public readonly record struct JobEventLevel(string Value)
{
    /// <summary>As it should be.</summary>
    public static JobEventLevel Info { get; } = new("info");

    /// <summary>Worth a look.</summary>
    public static JobEventLevel Warn { get; } = new("warn");

    /// <summary>It went wrong.</summary>
    public static JobEventLevel Error { get; } = new("error");

    /// <summary>The word on the wire.</summary>
    public override string ToString() => Value ?? "";
}

internal sealed class JobEventLevelConverter() : OpenValueConverter<JobEventLevel>(word => new(word), value => value.Value);
