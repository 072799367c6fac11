namespace Anneal.Jobs;

/// <summary>A model that a job made: the final one, or one of its checkpoints.</summary>
public sealed record TunedModel
{
    /// <summary>The name users call: <c>ft:{base}:{org}:{suffix}:{id8}</c>, for checkpoints with <c>:ckpt-step-{n}</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The base model it was tuned from.</summary>
    public required string BaseModel { get; init; }

    /// <summary>The job that made it.</summary>
    public required string JobId { get; init; }

    /// <summary>The checkpoint that holds its weights.</summary>
    public required string CheckpointId { get; init; }

    /// <summary>True for a checkpoint's model, false for the job's result.</summary>
    public required bool IsCheckpoint { get; init; }

    /// <summary>When it could first be called.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The weights.</summary>
    public required IReadOnlyList<NamedBlob> Files { get; init; }
}
