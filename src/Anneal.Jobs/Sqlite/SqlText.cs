using System.Collections.Frozen;
using System.Reflection;

namespace Anneal.Jobs.Sqlite;

/// <summary>The statements of <c>Sql/*.sql</c>, by file name, and the schema scripts of <c>Sql/schema</c> in order.</summary>
internal static class SqlText
{
    private const string Prefix = "Anneal.Jobs.Sqlite.Sql.";

    private static readonly FrozenDictionary<string, string> Statements = Load(schema: false).ToFrozenDictionary(
        p => p.Name, p => p.Text, StringComparer.Ordinal);

    /// <summary>Schema scripts; the first makes version 1.</summary>
    public static IReadOnlyList<string> Schema { get; } =
        [.. Load(schema: true).OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => p.Text)];

    /// <summary>Names of all statements.</summary>
    public static IEnumerable<string> Names => Statements.Keys;

    /// <summary>The statement of <c>Sql/{name}.sql</c>.</summary>
    public static string Get(string name) => Statements[name];

    private static IEnumerable<(string Name, string Text)> Load(bool schema)
    {
        Assembly assembly = typeof(SqlText).Assembly;
        foreach (string resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Prefix, StringComparison.Ordinal))
            {
                continue;
            }

            string name = resource[Prefix.Length..^".sql".Length];
            if (name.StartsWith("schema.", StringComparison.Ordinal) != schema)
            {
                continue;
            }

            using StreamReader reader = new(assembly.GetManifestResourceStream(resource)!);
            yield return (name, reader.ReadToEnd());
        }
    }
}
