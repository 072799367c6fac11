namespace Anneal.Jobs;

/// <summary>
/// A point of a job that a user can call as a model; the weights belong to the <see cref="TunedModel"/> of the same name.
/// The row stays when that model is deleted.
/// </summary>
public sealed record Checkpoint
{
    /// <summary><c>ftckpt_</c> and 24 letters and digits.</summary>
    public required string Id { get; init; }

    /// <summary>The job that made it.</summary>
    public required string JobId { get; init; }

    /// <summary>The number of optimiser steps behind it; one checkpoint a step.</summary>
    public required int Step { get; init; }

    /// <summary>
    /// The model's name: <c>ft:…:ckpt-step-{n}</c>, or for the last step the job's <see cref="Job.ReservedModelName"/>.
    /// </summary>
    public required string ModelName { get; init; }

    /// <summary>When it was stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>A JSON object of the measurements at that step; unknown ones are absent.</summary>
    public required string MetricsJson { get; init; }
}

/// <summary>A file name inside a model folder and the blob that holds its bytes.</summary>
/// <param name="Name">For example <c>adapter_model.safetensors</c>; no directory part.</param>
/// <param name="BlobKey">Key in the <see cref="Blobs.IBlobStore"/>.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">SHA-256 of the bytes in lower-case hexadecimal.</param>
public sealed record NamedBlob(string Name, string BlobKey, long Bytes, string Sha256);

/// <summary>A checkpoint as a worker reports it, its blobs already stored.</summary>
/// <param name="Id">From <see cref="Ids.Checkpoint"/>; the blobs' keys contain it, so no two uploads share a blob.</param>
/// <param name="Step">Optimiser steps behind it.</param>
/// <param name="IsFinal">True for the last step of training: this one becomes the job's model.</param>
/// <param name="MetricsJson">A JSON object.</param>
/// <param name="Files">The weights: PEFT files of an adapter, or a whole model's files.</param>
public sealed record NewCheckpoint(
    string Id, int Step, bool IsFinal, string MetricsJson, IReadOnlyList<NamedBlob> Files);

/// <summary>What a run needs to go on where an earlier one stopped: weights, optimiser, generator and data cursor in one blob.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Step">Optimiser steps behind it.</param>
/// <param name="BlobKey">Key in the blob store.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">SHA-256 in lower-case hexadecimal.</param>
/// <param name="CreatedAt">When it was stored.</param>
public sealed record RunStateRef(
    string JobId, int Step, string BlobKey, long Bytes, string Sha256, DateTimeOffset CreatedAt);
