using System.Text.Json.Serialization;

namespace Anneal.Client;

/// <summary>Weights from the middle of a job that can be used as a model.</summary>
public sealed record JobCheckpoint
{
    /// <summary>Id, <c>ftckpt_…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>When it was made.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Its name as a model.</summary>
    public required string FineTunedModelCheckpoint { get; init; }

    /// <summary>The job it belongs to.</summary>
    public required string FineTuningJobId { get; init; }

    /// <summary>After which step it was made.</summary>
    public required int StepNumber { get; init; }

    /// <summary>What was measured then.</summary>
    public StepMetrics? Metrics { get; init; }
}
