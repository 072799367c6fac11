using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace Anneal.Jobs.Tests;

public sealed partial class JobTransitionsTests
{
    private static readonly JobStatus[] Statuses = Enum.GetValues<JobStatus>();

    [Fact]
    public void The_document_draws_exactly_the_table()
    {
        string document = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "state-machine.md"));
        var drawn = Arrow().Matches(document)
            .Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value} {m.Groups[3].Value.Trim()}");
        var table = JobTransitions.All.Select(t => $"{t.From.ToName()} {t.To.ToName()} {t.Why}");
        Assert.Equal(table.Order(StringComparer.Ordinal), drawn.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_database_allows_exactly_the_table()
    {
        await using StoreBed bed = new();
        Job job = await bed.SubmitAsync();
        await using SqliteConnection connection = new($"Data Source={bed.DatabasePath};Pooling=False");
        await connection.OpenAsync();
        foreach (JobStatus from in Statuses)
        {
            foreach (JobStatus to in Statuses.Where(s => s != from))
            {
                Assert.Equal(JobTransitions.IsLegal(from, to), DatabaseAllows(connection, job.Id, from, to));
            }
        }
    }

    [Fact]
    public void Nothing_leaves_a_terminal_status_and_everything_else_can_be_cancelled()
    {
        foreach (JobStatus status in Statuses)
        {
            Assert.Equal(status.IsTerminal(), !JobTransitions.All.Any(t => t.From == status));
            Assert.Equal(!status.IsTerminal(), JobTransitions.IsLegal(status, JobStatus.Cancelled));
            Assert.Equal(status, JobStatusNames.Parse(status.ToName()));
        }
    }

    /// <summary>Sets the row to <paramref name="from"/> behind the trigger's back, tries the move, and rolls back.</summary>
    private static bool DatabaseAllows(SqliteConnection connection, string id, JobStatus from, JobStatus to)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        Run(connection, "PRAGMA ignore_check_constraints = ON");
        Run(connection, "CREATE TABLE saved AS SELECT * FROM job_transitions");
        Run(connection, "INSERT OR IGNORE INTO job_transitions VALUES ('validating_files', $s)", from.ToName());
        if (from != JobStatus.ValidatingFiles)
        {
            Run(connection, $"UPDATE jobs SET status = $s WHERE id = '{id}'", from.ToName());
        }

        Run(connection, "DELETE FROM job_transitions");
        Run(connection, "INSERT INTO job_transitions SELECT * FROM saved");
        try
        {
            Run(connection, $"UPDATE jobs SET status = $s WHERE id = '{id}'", to.ToName());
            return true;
        }
        catch (SqliteException e) when (e.Message.Contains("illegal change", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private static void Run(SqliteConnection connection, string sql, string? status = null)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this test.
        command.CommandText = sql;
#pragma warning restore CA2100
        if (status is not null)
        {
            command.Parameters.AddWithValue("$s", status);
        }

        command.ExecuteNonQuery();
    }

    private static string RepositoryRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Anneal.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("No Anneal.slnx above the tests.");
        }

        return folder;
    }

    [GeneratedRegex(@"^\s+(\w+) --> (\w+) : (.+)$", RegexOptions.Multiline)]
    private static partial Regex Arrow();
}
