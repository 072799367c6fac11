using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Anneal.Jobs.Sqlite;

/// <summary>
/// The connections to one database file: one that writes, taken in turn, and as many readers as there are simultaneous
/// reads. In WAL mode readers never wait for the writer. <c>synchronous = FULL</c> makes a commit durable before it returns.
/// </summary>
internal sealed class SqliteDatabase : IAsyncDisposable
{
    private readonly string _connectionString;
    private readonly SqliteSession _writer;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentBag<SqliteSession> _idleReaders = [];
    private bool _disposed;

    private SqliteDatabase(string connectionString)
    {
        _connectionString = connectionString;
        _writer = Connect();
    }

    /// <summary>Opens the file, makes it when it is not there, and brings its schema up to date.</summary>
    /// <exception cref="InvalidDataException">The file was written by a newer version, or is not such a database.</exception>
    public static SqliteDatabase Open(string path)
    {
        SqliteNative.Initialize();
        SqliteConnectionStringBuilder builder = new()
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            ForeignKeys = true,
            Pooling = false,
        };
        SqliteDatabase? database = null;
        try
        {
            database = new SqliteDatabase(builder.ConnectionString);
            database.Migrate(path);
            return database;
        }
        catch (SqliteException e)
        {
            database?._writer.Dispose();
            throw new InvalidDataException($"{path} cannot be opened as the job database: {e.Message}", e);
        }
        catch (InvalidDataException)
        {
            database?._writer.Dispose();
            throw;
        }
    }

    /// <summary>Runs <paramref name="body"/> in a transaction; commits when it returns, rolls back when it throws.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteSession, T> body, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return _writer.InTransaction(body);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Runs <paramref name="body"/> on one consistent snapshot.</summary>
    public Task<T> ReadAsync<T>(Func<SqliteSession, T> body, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!_idleReaders.TryTake(out SqliteSession? reader))
        {
            reader = Connect();
        }

        // A reader whose read failed is not reused: its state is unknown.
        bool healthy = false;
        try
        {
            T result = reader.InReadTransaction(body);
            healthy = true;
            return Task.FromResult(result);
        }
        finally
        {
            if (healthy)
            {
                _idleReaders.Add(reader);
            }
            else
            {
                reader.Dispose();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _writing.WaitAsync().ConfigureAwait(false);
        while (_idleReaders.TryTake(out SqliteSession? reader))
        {
            reader.Dispose();
        }

        _writer.Dispose();
        _writing.Dispose();
    }

    private SqliteSession Connect()
    {
#pragma warning disable CA2000 // Owned by the session that is returned.
        SqliteConnection connection = new(_connectionString);
#pragma warning restore CA2000
        try
        {
            connection.Open();
            SqliteSession.Run(connection, "PRAGMA journal_mode = WAL");
            SqliteSession.Run(connection, "PRAGMA synchronous = FULL");
            SqliteSession.Run(connection, "PRAGMA busy_timeout = 30000");
            return new SqliteSession(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Applies the schema files that the database has not seen, each in one transaction with the number that says so
    /// (<c>user_version</c>), so that a crash leaves a whole version.
    /// </summary>
    private void Migrate(string path)
    {
        IReadOnlyList<string> schema = SqlText.Schema;
        long version = _writer.InTransaction(s => s.Number("PRAGMA user_version"));
        if (version > schema.Count)
        {
            throw new InvalidDataException(
                $"{path} has schema version {version}, but this program knows versions up to {schema.Count}. Use the version " +
                "of Anneal that wrote it, or a newer one.");
        }

        for (int i = (int)version; i < schema.Count; i++)
        {
            int target = i + 1;
            _writer.InTransaction(s =>
            {
                // Another process may have been faster.
                if (s.Number("PRAGMA user_version") < target)
                {
                    s.Script(schema[target - 1]);
                    s.Script(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {target}"));
                }

                return true;
            });
        }
    }
}
