namespace Anneal.Jobs.Sqlite;

/// <content>Files and the blobs that are dropped.</content>
public sealed partial class SqliteStore
{
    /// <inheritdoc/>
    public override Task AddFileAsync(StoredFile file, CancellationToken cancellation) =>
        ChangeAsync(session => InsertFile(session, file), cancellation);

    /// <inheritdoc/>
    public override Task<StoredFile?> GetFileAsync(string id, CancellationToken cancellation) =>
        _database.ReadAsync(s => s.One("GetFile", Rows.File, ("id", id), ("now", Now)), cancellation);

    /// <inheritdoc/>
    public override Task<StoredFile?> GetJobFileAsync(string jobId, string fileId, CancellationToken cancellation) =>
        _database.ReadAsync(s => s.One("GetJobFile", Rows.File, ("id", fileId), ("job_id", jobId)), cancellation);

    /// <inheritdoc/>
    public override Task<Page<StoredFile>?> ListFilesAsync(
        string? purpose, string? after, int limit, bool oldestFirst, CancellationToken cancellation)
    {
        CheckLimit(limit);
        return _database.ReadAsync(
            session =>
            {
                long? place = after is null
                    ? (oldestFirst ? 0 : long.MaxValue)
                    : session.Integer("FileOrdinal", ("id", after));
                return place is null
                    ? null
                    : Cut(
                        session.All(
                            oldestFirst ? "ListFilesOldestFirst" : "ListFilesNewestFirst",
                            Rows.File,
                            ("after", place), ("purpose", purpose), ("now", Now), ("limit", limit)),
                        limit);
            },
            cancellation);
    }

    /// <inheritdoc/>
    public override Task<Deletion> DeleteFileAsync(string id, CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                if (session.Text("DeleteFile", ("id", id)) is { } blob)
                {
                    DropBlobs(session, [blob]);
                    return new Deletion(DeletionOutcome.Deleted);
                }

                return session.Integer("FileOrdinal", ("id", id)) is null
                    ? new Deletion(DeletionOutcome.NotFound)
                    : new Deletion(DeletionOutcome.InUse, session.Text("JobUsingFile", ("id", id)));
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<int> DeleteExpiredFilesAsync(CancellationToken cancellation) =>
        ChangeAsync(
            session =>
            {
                List<string> blobs = session.All("DeleteExpiredFiles", Rows.First, ("now", Now));
                DropBlobs(session, blobs);
                return blobs.Count;
            },
            cancellation);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> ListDroppedBlobsAsync(int limit, CancellationToken cancellation)
    {
        CheckLimit(limit);
        return _database.ReadAsync<IReadOnlyList<string>>(
            s => s.All("ListDroppedBlobs", Rows.First, ("limit", limit)), cancellation);
    }

    /// <inheritdoc/>
    public override Task ForgetDroppedBlobAsync(string blobKey, CancellationToken cancellation) =>
        _database.WriteAsync(s => s.Execute("ForgetDroppedBlob", ("blob_key", blobKey)), cancellation);

    /// <inheritdoc/>
    public override Task<bool> KnowsBlobAsync(string blobKey, CancellationToken cancellation) =>
        _database.ReadAsync(s => s.Integer("KnowsBlob", ("blob_key", blobKey)) == 1, cancellation);

    private static int InsertFile(SqliteSession session, StoredFile file) => session.Execute(
        "AddFile",
        ("id", file.Id), ("file_name", file.FileName), ("purpose", file.Purpose), ("bytes", file.Bytes),
        ("sha256", file.Sha256), ("blob_key", file.BlobKey), ("created_at", file.CreatedAt.Milliseconds()),
        ("expires_at", file.ExpiresAt?.Milliseconds()), ("status", file.Status.ToName()),
        ("status_details", file.StatusDetails));
}
