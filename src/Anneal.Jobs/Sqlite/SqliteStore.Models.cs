namespace Anneal.Jobs.Sqlite;

/// <content>Checkpoints, models, keys and settings.</content>
public sealed partial class SqliteStore
{
    /// <inheritdoc/>
    public override Task<Page<Checkpoint>?> ListCheckpointsAsync(
        string jobId, string? after, int limit, CancellationToken cancellation)
    {
        CheckLimit(limit);
        return _database.ReadAsync(
            session =>
            {
                long? place = after is null
                    ? long.MaxValue
                    : session.Integer("CheckpointStep", ("id", after), ("job_id", jobId));
                return place is null
                    ? null
                    : Cut(
                        session.All(
                            "ListCheckpoints",
                            Rows.Checkpoint,
                            ("job_id", jobId), ("after", place), ("limit", limit)),
                        limit);
            },
            cancellation);
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<TunedModel>> ListModelsAsync(CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<TunedModel>>(s => s.All("ListModels", Rows.Model), cancellation);

    /// <inheritdoc/>
    public override Task<TunedModel?> GetModelAsync(string name, CancellationToken cancellation) =>
        _database.ReadAsync(s => s.One("GetModel", Rows.Model, ("name", name)), cancellation);

    /// <inheritdoc/>
    public override Task<Deletion> DeleteModelAsync(string name, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                if (session.Text("DeleteModel", ("name", name)) is { } checkpoint)
                {
                    DropCheckpointBlobs(session, checkpoint);
                    session.Execute("ReleaseCheckpointFiles", ("id", checkpoint));
                    return new Deletion(DeletionOutcome.Deleted);
                }

                return session.One("GetModel", Rows.Model, ("name", name)) is null
                    ? new Deletion(DeletionOutcome.NotFound)
                    : new Deletion(DeletionOutcome.InUse, session.Text("JobUsingModel", ("name", name)));
            },
            cancellation);

    /// <inheritdoc/>
    public override Task AddKeyAsync(ApiKey key, CancellationToken cancellation) =>
        ChangeAsync(
            session => session.Execute(
                "AddKey",
                ("id", key.Id), ("name", key.Name), ("hash", key.Hash), ("tail", key.Tail),
                ("created_at", key.CreatedAt.Milliseconds()), ("revoked_at", key.RevokedAt?.Milliseconds())),
            cancellation);

    /// <inheritdoc/>
    public override Task<ApiKey?> FindKeyAsync(string hash, CancellationToken cancellation) =>
        _database.ReadAsync(s => s.One("FindKey", Rows.Key, ("hash", hash)), cancellation);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<ApiKey>> ListKeysAsync(CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<ApiKey>>(s => s.All("ListKeys", Rows.Key), cancellation);

    /// <inheritdoc/>
    public override Task<bool> RevokeKeyAsync(string id, CancellationToken cancellation) =>
        ChangeAsync(s => s.Execute("RevokeKey", ("id", id), ("now", Now)) == 1, cancellation);

    /// <inheritdoc/>
    public override Task<string> GetOrAddSettingAsync(string name, string value, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                session.Execute("AddSetting", ("name", name), ("value", value));
                return session.Text("GetSetting", ("name", name))!;
            },
            cancellation);

    private static void DropCheckpointBlobs(SqliteSession session, string checkpointId) =>
        DropBlobs(session, session.All("CheckpointFiles", Rows.First, ("id", checkpointId)));
}
