namespace Anneal.Cli.Terminal;

/// <summary>Running text in lines.</summary>
internal static class Words
{
    /// <summary>Breaks a text between words so that no line is longer than <paramref name="width"/>, unless a word alone is.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line += line.Length > 0 ? " " + word : word;
        }

        yield return line;
    }
}
