using System.Globalization;

namespace Anneal.Jobs.Sqlite;

/// <summary>
/// The store in one SQLite file: for one machine and a local disk (WAL does not work on network file systems). Several
/// processes of that machine may open it at once.
/// </summary>
public sealed partial class SqliteStore : JobStore
{
    private readonly SqliteDatabase _database;
    private readonly TimeProvider _time;

    private SqliteStore(SqliteDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    private long Now => _time.GetUtcNow().Milliseconds();

    /// <summary>Opens the database at <paramref name="path"/>, makes it when it is not there, and updates its schema.</summary>
    /// <param name="path">A file on a local disk; its folder must exist.</param>
    /// <param name="time">The clock of every time stored and of leases.</param>
    /// <exception cref="InvalidDataException">The file is no such database, or a newer version wrote it.</exception>
    public static SqliteStore Open(string path, TimeProvider time)
    {
#pragma warning disable CA2000 // Owned by the store that is returned.
        return new SqliteStore(SqliteDatabase.Open(path), time);
#pragma warning restore CA2000
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _database.DisposeAsync();

    /// <summary>One transaction that changes something; whoever waits for a change is woken after its commit.</summary>
    private async Task<T> ChangeAsync<T>(Func<SqliteSession, T> body, CancellationToken cancellation)
    {
        T result = await _database.WriteAsync(body, cancellation).ConfigureAwait(false);
        SignalChange();
        return result;
    }

    private void AppendMessage(SqliteSession session, string jobId, EventLevel level, string message) =>
        AppendEvent(session, jobId, level, message, step: null, dataJson: null);

    private void AppendEvent(
        SqliteSession session, string jobId, EventLevel level, string message, int? step, string? dataJson)
    {
        string text = message.Length <= Limits.EventMessageCharsMax ? message : message[..Limits.EventMessageCharsMax];
        session.Execute(
            "AppendEvent",
            ("job_id", jobId), ("id", Ids.Event()), ("now", Now), ("level", level.ToName()), ("message", text),
            ("step", step), ("data", dataJson));
    }

    private static void DropBlobs(SqliteSession session, IEnumerable<string> blobKeys)
    {
        foreach (string key in blobKeys)
        {
            session.Execute("DropBlob", ("blob_key", key));
        }
    }

    /// <summary>Cuts the extra row that told whether more follows.</summary>
    private static Page<T> Cut<T>(List<T> rows, int limit)
    {
        bool more = rows.Count > limit;
        if (more)
        {
            rows.RemoveRange(limit, rows.Count - limit);
        }

        return new Page<T>(rows, more);
    }

    private static void CheckLimit(int limit)
    {
        if (limit is < 1 or > Limits.PageItemsMax)
        {
            throw new ArgumentOutOfRangeException(
                nameof(limit), limit, string.Create(CultureInfo.InvariantCulture, $"1 to {Limits.PageItemsMax}."));
        }
    }
}
