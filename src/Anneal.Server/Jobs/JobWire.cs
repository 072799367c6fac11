using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Jobs;

namespace Anneal.Server.Jobs;

/// <summary>
/// A <c>FineTuningJob</c>. Every member is always written: <c>error</c> is null unless the job failed, <c>hyperparameters</c> is
/// always an object, <c>estimated_finish</c> is null unless it lies in the future.
/// </summary>
internal sealed record JobWire(
    string Id,
    string Object,
    long CreatedAt,
    long? FinishedAt,
    string Model,
    string? FineTunedModel,
    string OrganizationId,
    string Status,
    string TrainingFile,
    string? ValidationFile,
    IReadOnlyList<string> ResultFiles,
    long? TrainedTokens,
    JobErrorWire? Error,
    JsonElement Hyperparameters,
    long Seed,
    JsonElement Integrations,
    long? EstimatedFinish,
    JsonObject Method,
    IReadOnlyDictionary<string, string>? Metadata,
    string? UserProvidedSuffix)
{
    /// <summary>An estimate closer than this is not shown: clients sleep until the estimate and break when it has passed.</summary>
    private static readonly TimeSpan EstimateMin = TimeSpan.FromSeconds(3);

    /// <summary>The job as users see it.</summary>
    public static JobWire Of(Job job, string organizationId, DateTimeOffset now)
    {
        bool estimated = job.Status == JobStatus.Running && job.EstimatedFinish > now + EstimateMin;
        return new JobWire(
            job.Id,
            "fine_tuning.job",
            job.CreatedAt.ToUnixTimeSeconds(),
            job.FinishedAt?.ToUnixTimeSeconds(),
            job.Model,
            job.FineTunedModel,
            organizationId,
            job.Status.ToName(),
            job.TrainingFile,
            job.ValidationFile,
            job.ResultFiles,
            job.TrainedTokens,
            job.Error is null ? null : new JobErrorWire(job.Error.Code, job.Error.Message, job.Error.Param),
            Parse(job.HyperparametersJson),
            job.Seed,
            Parse(job.IntegrationsJson),
            estimated ? job.EstimatedFinish!.Value.ToUnixTimeSeconds() : null,
            new JsonObject
            {
                ["type"] = job.MethodType,
                [job.MethodType] = new JsonObject { ["hyperparameters"] = JsonNode.Parse(job.HyperparametersJson) },
            },
            job.Metadata,
            job.Suffix);
    }

    private static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

/// <summary>Why a job failed.</summary>
internal sealed record JobErrorWire(string Code, string Message, string? Param);

/// <summary>A <c>FineTuningJobEvent</c>: <c>data</c> is null for messages and an object of numbers for metrics.</summary>
internal sealed record EventWire(
    string Id, string Object, long CreatedAt, string Level, string Message, string Type, JsonElement? Data)
{
    /// <summary>The event as users see it.</summary>
    public static EventWire Of(JobEvent item)
    {
        JsonElement? data = null;
        if (item.DataJson is not null)
        {
            using JsonDocument document = JsonDocument.Parse(item.DataJson);
            data = document.RootElement.Clone();
        }
        return new EventWire(
            item.Id,
            "fine_tuning.job.event",
            item.CreatedAt.ToUnixTimeSeconds(),
            item.Level.ToName(),
            item.Message,
            item.Type,
            data);
    }
}

/// <summary>A <c>FineTuningJobCheckpoint</c>: metrics that were not measured are left out.</summary>
internal sealed record CheckpointWire(
    string Id,
    string Object,
    long CreatedAt,
    string FineTunedModelCheckpoint,
    string FineTuningJobId,
    JsonElement Metrics,
    int StepNumber)
{
    /// <summary>The checkpoint as users see it.</summary>
    public static CheckpointWire Of(Checkpoint checkpoint)
    {
        using JsonDocument metrics = JsonDocument.Parse(checkpoint.MetricsJson);
        return new CheckpointWire(
            checkpoint.Id,
            "fine_tuning.job.checkpoint",
            checkpoint.CreatedAt.ToUnixTimeSeconds(),
            checkpoint.ModelName,
            checkpoint.JobId,
            metrics.RootElement.Clone(),
            checkpoint.Step);
    }
}
