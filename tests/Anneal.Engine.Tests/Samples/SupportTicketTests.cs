using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Anneal.Engine.Tests.Tidy;
using Xunit;

namespace Anneal.Engine.Tests.Samples;

/// <summary>What the quickstart's data promise.</summary>
public sealed partial class SupportTicketTests
{
    private static readonly string[] Splits = ["train", "valid", "test"];

    [Fact]
    public void No_sentence_stands_in_two_splits_whatever_the_product_name_and_date_are()
    {
        HashSet<string>[] sentences = [.. Splits.Select(split => Read(split).SelectMany(Sentences).ToHashSet())];

        Assert.All(sentences, set => Assert.True(set.Count > 20, $"only {set.Count} sentences"));
        Assert.Empty(sentences[0].Intersect(sentences[1]));
        Assert.Empty(sentences[0].Intersect(sentences[2]));
        Assert.Empty(sentences[1].Intersect(sentences[2]));
    }

    [Fact]
    public void Every_answer_is_json_with_the_same_keys_and_names_a_product_of_the_ticket()
    {
        foreach ((string ticket, JsonObject triage) in Splits.SelectMany(Read))
        {
            Assert.Equal(["category", "priority", "product"], triage.Select(pair => pair.Key));
            Assert.Contains((string)triage["product"]!, ticket, StringComparison.Ordinal);
            Assert.Contains((string)triage["priority"]!, (string[])["low", "normal", "high"]);
        }
    }

    [Fact]
    public void Categories_and_priorities_are_balanced_so_that_no_constant_answer_scores_well()
    {
        foreach (string split in Splits)
        {
            var examples = Read(split);
            int[] combinations = [.. examples.GroupBy(e => $"{e.Triage["category"]}/{e.Triage["priority"]}").Select(group => group.Count())];
            Assert.Equal(18, combinations.Length);
            Assert.True(combinations.Max() <= examples.Count / 10, $"{split}: {combinations.Max()} of {examples.Count} are alike");
        }
    }

    private static List<(string Ticket, JsonObject Triage)> Read(string split) =>
    [
        .. File.ReadLines(Path.Combine(Repository.Root, "samples", $"support-{split}.jsonl")).Select(line =>
        {
            JsonArray messages = JsonNode.Parse(line)!["messages"]!.AsArray();
            Assert.Equal(["system", "user", "assistant"], messages.Select(message => (string)message!["role"]!));
            return ((string)messages[1]!["content"]!, JsonNode.Parse((string)messages[2]!["content"]!)!.AsObject());
        }),
    ];

    // Names of products, people, days, cities and numbers are filled in by chance: a sentence is compared without them.
    private static IEnumerable<string> Sentences((string Ticket, JsonObject Triage) example)
    {
        string general = example.Ticket.Replace((string)example.Triage["product"]!, "_", StringComparison.Ordinal);
        general = NumberRegex().Replace(general, "0");
        return EndRegex().Split(general)
            .Select(sentence => NameRegex().Replace(sentence.Trim(), "N"))
            .Where(sentence => sentence.Length > 0);
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex NumberRegex();

    [GeneratedRegex(@"(?<=[.!?])\s+")]
    private static partial Regex EndRegex();

    // A capital inside a sentence, "I" and "Wi-Fi" apart.
    [GeneratedRegex(@"(?<=\s)(?!I\b|Wi-Fi)[A-Z][\p{L}-]+")]
    private static partial Regex NameRegex();
}
