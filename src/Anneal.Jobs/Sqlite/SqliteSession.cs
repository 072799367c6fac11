using Microsoft.Data.Sqlite;

namespace Anneal.Jobs.Sqlite;

/// <summary>
/// One connection with its prepared statements. Used by one thread at a time. Statements are named by their file in
/// <c>Sql/</c>; parameters are <c>@name</c>; null is NULL.
/// </summary>
internal sealed class SqliteSession(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);

#pragma warning disable CA2213 // Belongs to InTransaction, which disposes it.
    private SqliteTransaction? _transaction;
#pragma warning restore CA2213

    public T InTransaction<T>(Func<SqliteSession, T> body) => InTransaction(body, deferred: false);

    /// <summary>Deferred, so that it takes no lock beyond its snapshot.</summary>
    public T InReadTransaction<T>(Func<SqliteSession, T> body) => InTransaction(body, deferred: true);

    /// <summary>Runs a statement and returns how many rows it changed.</summary>
    public int Execute(string statement, params ReadOnlySpan<(string Name, object? Value)> arguments) =>
        Prepare(statement, arguments).ExecuteNonQuery();

    /// <summary>The first row, or null when there is none.</summary>
    public T? One<T>(
        string statement, Func<SqliteDataReader, T> map, params ReadOnlySpan<(string Name, object? Value)> arguments)
        where T : class
    {
        using SqliteDataReader reader = Prepare(statement, arguments).ExecuteReader();
        return reader.Read() ? map(reader) : null;
    }

    /// <summary>Every row.</summary>
    public List<T> All<T>(
        string statement, Func<SqliteDataReader, T> map, params ReadOnlySpan<(string Name, object? Value)> arguments)
    {
        using SqliteDataReader reader = Prepare(statement, arguments).ExecuteReader();
        List<T> rows = [];
        while (reader.Read())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <summary>The first column of the first row as an integer, or null when there is no row.</summary>
    public long? Integer(string statement, params ReadOnlySpan<(string Name, object? Value)> arguments) =>
        (long?)Prepare(statement, arguments).ExecuteScalar();

    /// <summary>The first column of the first row as text, or null when there is no row.</summary>
    public string? Text(string statement, params ReadOnlySpan<(string Name, object? Value)> arguments) =>
        (string?)Prepare(statement, arguments).ExecuteScalar();

    /// <summary>Runs SQL that is no file of its own: the schema and pragmas.</summary>
    public void Script(string sql)
    {
        using SqliteCommand command = Command(sql);
        command.ExecuteNonQuery();
    }

    /// <summary>The one number that a pragma answers.</summary>
    public long Number(string sql)
    {
        using SqliteCommand command = Command(sql);
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Runs a pragma outside a transaction.</summary>
    public static void Run(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this project.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        foreach (SqliteCommand command in _prepared.Values)
        {
            command.Dispose();
        }

        connection.Dispose();
    }

    private T InTransaction<T>(Func<SqliteSession, T> body, bool deferred)
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred);
        _transaction = transaction;
        try
        {
            T result = body(this);
            transaction.Commit();
            return result;
        }
        finally
        {
            _transaction = null;
        }
    }

    private SqliteCommand Prepare(string statement, ReadOnlySpan<(string Name, object? Value)> arguments)
    {
        if (!_prepared.TryGetValue(statement, out SqliteCommand? command))
        {
            command = Command(SqlText.Get(statement));
            _prepared.Add(statement, command);
        }

        command.Transaction = _transaction;
        command.Parameters.Clear();
        foreach ((string name, object? value) in arguments)
        {
            command.Parameters.AddWithValue("@" + name, value ?? DBNull.Value);
        }

        return command;
    }

    private SqliteCommand Command(string sql)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Text comes from this assembly's own resources.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Transaction = _transaction;
        return command;
    }
}
