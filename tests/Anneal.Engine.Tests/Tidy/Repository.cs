namespace Anneal.Engine.Tests.Tidy;

/// <summary>The working tree the tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] Generated = ["artifacts", "node_modules", "bin", "obj"];

    /// <summary>The folder that holds Anneal.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>
    /// Files by path relative to the root with forward slashes; generated and hidden folders left out (.ci kept), and the file
    /// that stands for the repository in a linked work tree.
    /// </summary>
    public static IEnumerable<string> Files(string pattern = "*") =>
        Walk(Root, pattern).Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/')).Order(StringComparer.Ordinal);

    /// <summary>The text of a file, or null when it holds binary data.</summary>
    public static string? Text(string path)
    {
        string full = Path.Combine(Root, path);
        using FileStream file = File.OpenRead(full);
        Span<byte> head = stackalloc byte[4096];
        return head[..file.Read(head)].Contains((byte)0) ? null : File.ReadAllText(full);
    }

    private static IEnumerable<string> Walk(string folder, string pattern)
    {
        foreach (string file in Directory.EnumerateFiles(folder, pattern).Where(file => Path.GetFileName(file) != ".git"))
        {
            yield return file;
        }

        foreach (string child in Directory.EnumerateDirectories(folder))
        {
            string name = Path.GetFileName(child);
            if (Generated.Contains(name) || (name.StartsWith('.') && name != ".ci"))
            {
                continue;
            }

            foreach (string file in Walk(child, pattern))
            {
                yield return file;
            }
        }
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Anneal.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests do not lie inside the repository.");
    }
}
