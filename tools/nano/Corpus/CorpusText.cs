namespace Anneal.Nano.Corpus;

/// <summary>Shows documents of the corpus to a reader.</summary>
internal static class CorpusText
{
    /// <summary>Prints documents, all or those of one kind.</summary>
    public static void Print(TextWriter output, ulong seed, int first, int count, string kind)
    {
        for (int i = first; i < first + count; i++)
        {
            Document document = Composer.Make(seed, (ulong)i);
            if (kind.Length > 0 && document.Family != kind)
            {
                continue;
            }
            output.WriteLine($"=== {i} {document.Family}");
            foreach (Turn turn in document.Turns)
            {
                output.WriteLine($"[{turn.Role}] {turn.Content}");
            }
        }
    }
}
