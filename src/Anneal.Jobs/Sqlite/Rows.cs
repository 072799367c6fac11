using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Anneal.Jobs.Sqlite;

/// <summary>Hand-written mapping between rows and records.</summary>
internal static class Rows
{
    public static Job Job(SqliteDataReader row) => new()
    {
        Id = row.Text("id"),
        Model = row.Text("model"),
        BaseModel = row.Text("base_model"),
        ReservedModelName = row.Text("model_name"),
        Status = JobStatusNames.Parse(row.Text("status")),
        CreatedAt = row.Time("created_at"),
        StartedAt = row.TimeOrNull("started_at"),
        FinishedAt = row.TimeOrNull("finished_at"),
        TrainingFile = row.Text("training_file"),
        ValidationFile = row.TextOrNull("validation_file"),
        Suffix = row.TextOrNull("suffix"),
        Seed = row.Integer("seed"),
        MethodType = row.Text("method_type"),
        HyperparametersJson = row.Text("hyperparameters"),
        IntegrationsJson = row.Text("integrations"),
        Metadata = ReadMap(row.TextOrNull("metadata")),
        TrainedTokens = row.IntegerOrNull("trained_tokens"),
        FineTunedModel = row.Text("status") == "succeeded" ? row.Text("model_name") : null,
        ResultFiles = row.TextOrNull("result_file") is { } file ? [file] : [],
        Error = row.TextOrNull("error_code") is { } code
            ? new JobError(code, row.Text("error_message"), row.TextOrNull("error_param"))
            : null,
        EstimatedFinish = row.TimeOrNull("estimated_finish"),
        RunId = row.TextOrNull("run_id"),
        Fence = row.Integer("fence"),
        StepReached = (int)row.Integer("step_reached"),
        CrashCount = (int)row.Integer("crash_count"),
    };

    public static StoredFile File(SqliteDataReader row) => new()
    {
        Id = row.Text("id"),
        FileName = row.Text("file_name"),
        Purpose = row.Text("purpose"),
        Bytes = row.Integer("bytes"),
        Sha256 = row.Text("sha256"),
        BlobKey = row.Text("blob_key"),
        CreatedAt = row.Time("created_at"),
        ExpiresAt = row.TimeOrNull("expires_at"),
        Status = FileStatusNames.Parse(row.Text("status")),
        StatusDetails = row.TextOrNull("status_details"),
    };

    public static JobEvent Event(SqliteDataReader row) => new()
    {
        Id = row.Text("id"),
        JobId = row.Text("job_id"),
        Sequence = row.Integer("sequence"),
        CreatedAt = row.Time("created_at"),
        Level = EventLevelNames.Parse(row.Text("level")),
        Message = row.Text("message"),
        Step = (int?)row.IntegerOrNull("step"),
        DataJson = row.TextOrNull("data"),
    };

    public static Checkpoint Checkpoint(SqliteDataReader row) => new()
    {
        Id = row.Text("id"),
        JobId = row.Text("job_id"),
        Step = (int)row.Integer("step"),
        ModelName = row.Text("model_name"),
        CreatedAt = row.Time("created_at"),
        MetricsJson = row.Text("metrics"),
    };

    public static TunedModel Model(SqliteDataReader row) => new()
    {
        Name = row.Text("name"),
        BaseModel = row.Text("base_model"),
        JobId = row.Text("job_id"),
        CheckpointId = row.Text("checkpoint_id"),
        IsCheckpoint = row.Integer("is_final") == 0,
        CreatedAt = row.Time("created_at"),
        Files = ReadBlobs(row.Text("files")),
    };

    public static RunStateRef RunState(SqliteDataReader row) => new(
        row.Text("job_id"), (int)row.Integer("step"), row.Text("blob_key"), row.Integer("bytes"), row.Text("sha256"),
        row.Time("created_at"));

    public static Run Run(SqliteDataReader row) => new()
    {
        Id = row.Text("id"),
        JobId = row.Text("job_id"),
        Fence = row.Integer("fence"),
        ClaimedAt = row.Time("claimed_at"),
        LeaseExpiresAt = row.Time("lease_expires_at"),
        EndedAt = row.TimeOrNull("ended_at"),
        Ending = row.TextOrNull("ending") switch
        {
            null => null,
            "finished" => RunEnding.Finished,
            "released" => RunEnding.Released,
            "lost" => RunEnding.Lost,
            string other => throw new FormatException($"'{other}' is not an ending of a run."),
        },
    };

    public static ApiKey Key(SqliteDataReader row) => new()
    {
        Id = row.Text("id"),
        Name = row.Text("name"),
        Hash = row.Text("hash"),
        Tail = row.Text("tail"),
        CreatedAt = row.Time("created_at"),
        RevokedAt = row.TimeOrNull("revoked_at"),
    };

    /// <summary>The first column, for statements that return keys.</summary>
    public static string First(SqliteDataReader row) => row.GetString(0);

    public static string? WriteMap(IReadOnlyDictionary<string, string>? map)
    {
        if (map is null)
        {
            return null;
        }

        JsonObject json = [];
        foreach ((string key, string value) in map)
        {
            json.Add(key, value);
        }

        return json.ToJsonString();
    }

    public static string WriteBlobs(IReadOnlyList<NamedBlob> blobs)
    {
        JsonArray json = [];
        foreach (NamedBlob blob in blobs)
        {
            json.Add((JsonNode)new JsonObject
            {
                ["name"] = blob.Name,
                ["blob_key"] = blob.BlobKey,
                ["bytes"] = blob.Bytes,
                ["sha256"] = blob.Sha256,
            });
        }

        return json.ToJsonString();
    }

    public static long Milliseconds(this DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private static Dictionary<string, string>? ReadMap(string? json)
    {
        if (json is null)
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().ToDictionary(
            p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);
    }

    private static List<NamedBlob> ReadBlobs(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(e => new NamedBlob(
            e.GetProperty("name").GetString()!,
            e.GetProperty("blob_key").GetString()!,
            e.GetProperty("bytes").GetInt64(),
            e.GetProperty("sha256").GetString()!))];
    }

    private static string Text(this SqliteDataReader row, string column) => row.GetString(row.GetOrdinal(column));

    private static string? TextOrNull(this SqliteDataReader row, string column)
    {
        int i = row.GetOrdinal(column);
        return row.IsDBNull(i) ? null : row.GetString(i);
    }

    private static long Integer(this SqliteDataReader row, string column) => row.GetInt64(row.GetOrdinal(column));

    private static long? IntegerOrNull(this SqliteDataReader row, string column)
    {
        int i = row.GetOrdinal(column);
        return row.IsDBNull(i) ? null : row.GetInt64(i);
    }

    private static DateTimeOffset Time(this SqliteDataReader row, string column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(row.Integer(column));

    private static DateTimeOffset? TimeOrNull(this SqliteDataReader row, string column) =>
        row.IntegerOrNull(column) is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;
}
