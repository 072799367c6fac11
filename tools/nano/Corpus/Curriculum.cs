using Anneal.Nano.Corpus.Skills;

namespace Anneal.Nano.Corpus;

/// <summary>All kinds of assignment and how often each one is set.</summary>
internal static class Curriculum
{
    private static readonly (string Name, double Weight, Func<Dice, Assignment> Make)[] Table =
    [
        ("countries", 2.5, Facts.Countries), ("animals", 2, Facts.Animals), ("things", 3, Facts.Things),
            ("definitions", 3, Facts.Definitions),
        ("calendar", 1, Facts.Calendar), ("sum", 3, Arithmetic.Sum), ("problem", 2, Arithmetic.Story), ("compare", 1.2,
            Arithmetic.Compare),
        ("sequence", 1, Arithmetic.Sequence), ("number-words", 0.8, Arithmetic.Words), ("units", 0.8, Arithmetic.Units),
        ("pairs", 2, Wordplay.Pairs), ("forms", 1.5, Wordplay.Forms), ("letters", 0.8, Wordplay.Letters),
            ("odd-one-out", 1.5, Wordplay.OddOneOut),
        ("category", 2.5, Wordplay.Category), ("group", 1, Wordplay.Group), ("name-list", 2.5, Lists.Name), ("reorder",
            2, Lists.Reorder),
        ("pick-item", 1.5, Lists.Pick), ("list-layout", 1.5, Lists.Layout), ("filter-list", 1, Lists.Filter),
            ("extract-json", 9, Extraction.Json),
        ("extract-renamed", 4, Extraction.Renamed), ("extract-one", 4, Extraction.Single), ("extract-lines", 2,
            Extraction.Lines),
        ("mentions", 1, Extraction.Mentions), ("convert", 2, Conversion.Records), ("rows", 0.8, Conversion.Rows),
            ("lookup", 2, Conversion.Lookup),
        ("letter-case", 2, Conversion.Letters), ("dates", 1.2, Conversion.Dates), ("topic", 6, Classification.Topic),
            ("sentiment", 5, Classification.Sentiment),
        ("two-labels", 4, Classification.Both), ("sentence-kind", 3, Classification.Shape), ("read-story", 4,
            Stories.Question), ("read-facts", 3, Stories.FromScene),
        ("write-story", 2, Stories.Write), ("summary", 3, Stories.Summary), ("tense", 1.5, Rewriting.Tense), ("form",
            2, Rewriting.Form), ("tone", 1.5, Rewriting.Tone),
        ("replace", 1.5, Rewriting.Replace), ("join", 0.5, Rewriting.Join), ("letter", 2.5, Writing.Letter),
            ("describe", 1.2, Writing.Describe),
        ("steps", 1.5, Writing.Steps), ("use-word", 1.5, Writing.Use), ("reason", 1, Writing.Reason), ("small-talk",
            2.5, Talk.Small), ("greeting", 1.5, Talk.Greeting),
        ("unknown", 1.5, Talk.Unknown), ("refusal", 1.5, Talk.Refusal), ("riddle", 0.5, Talk.Riddle),
        ("message", 3, Messages.About), ("message-facts", 3.5, Messages.Facts), ("reply", 2, Messages.Reply),
    ];

    private static readonly double Total = Table.Sum(row => row.Weight);

    /// <summary>Names of all kinds, in the table's order.</summary>
    public static IEnumerable<string> Names => Table.Select(row => row.Name);

    /// <summary>One assignment, drawn by weight.</summary>
    public static (string Name, Assignment Assignment) Draw(Dice d)
    {
        double at = d.Unit() * Total;
        foreach ((string name, double weight, Func<Dice, Assignment> make) in Table)
        {
            at -= weight;
            if (at < 0)
            {
                return (name, make(d));
            }
        }
        return (Table[^1].Name, Table[^1].Make(d));
    }

    /// <summary>An assignment of the kind called <paramref name="name"/>.</summary>
    public static Assignment Draw(Dice d, string name) => Table.First(row => row.Name == name).Make(d);
}
