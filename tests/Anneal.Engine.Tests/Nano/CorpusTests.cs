using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Anneal.Engine.Tests.Tidy;
using Anneal.Nano.Corpus;
using Xunit;

namespace Anneal.Engine.Tests.Nano;

/// <summary>The generator of the corpus that the bundled model is trained on.</summary>
public sealed partial class CorpusTests
{
    private const ulong Seed = 1;

    [Fact]
    public void A_document_depends_on_the_seed_and_its_index_alone()
    {
        string Text(ulong seed, ulong index) => string.Join("\n", Composer.Make(seed, index).Turns);

        Assert.Equal(Text(Seed, 4711), Text(Seed, 4711));
        Assert.NotEqual(Text(Seed, 4711), Text(Seed, 4712));
        Assert.NotEqual(Text(Seed, 4711), Text(Seed + 1, 4711));
    }

    [Fact]
    public void Every_document_is_a_chat_that_ends_with_the_assistant_or_a_plain_text()
    {
        foreach (Document document in Documents(3000))
        {
            if (document.Turns[0].Role == "text")
            {
                Assert.Single(document.Turns);
                continue;
            }
            string[] roles = [.. document.Turns.Select(turn => turn.Role)];
            string[] chat = roles[0] == "system" ? roles[1..] : roles;
            Assert.Equal(Enumerable.Range(0, chat.Length).Select(i => i % 2 == 0 ? "user" : "assistant"), chat);
            Assert.Equal("assistant", chat[^1]);
            Assert.All(document.Turns, turn => Assert.Equal(turn.Content.Trim(), turn.Content));
            Assert.All(document.Turns, turn => Assert.NotEmpty(turn.Content));
        }
    }

    [Fact]
    public void Nothing_of_the_patterns_shows_in_the_texts()
    {
        IEnumerable<string> faults =
            from document in Documents(3000)
            from turn in document.Turns
            from Match match in LeftOver().Matches(turn.Content)
            select $"{match.Value} in: {turn.Content}";

        Assert.Empty(faults);
    }

    [Fact]
    public void Every_kind_of_task_can_be_set_and_answered()
    {
        foreach (string kind in Curriculum.Names)
        {
            for (ulong i = 0; i < 200; i++)
            {
                Document document = Composer.Single(Seed, i, kind);
                Assert.All(document.Turns, turn => Assert.NotEmpty(turn.Content.Trim()));
            }
        }
    }

    [Fact]
    public void Answers_that_begin_as_json_are_json()
    {
        int count = 0;
        foreach (Turn turn in Documents(3000).SelectMany(d => d.Turns).Where(t => t.Role == "assistant" && t.Content[0] == '{'))
        {
            Assert.NotNull(JsonNode.Parse(turn.Content));
            count++;
        }

        Assert.True(count > 300, $"only {count} answers are JSON");
    }

    [Fact]
    public void The_quickstarts_task_is_not_in_the_corpus()
    {
        HashSet<string> tickets =
        [
            .. ((string[])["train", "valid", "test"])
                .SelectMany(split => File.ReadLines(Path.Combine(Repository.Root, "samples", $"support-{split}.jsonl")))
                .SelectMany(line => JsonNode.Parse(line)!["messages"]!.AsArray().Select(message => (string)message!["content"]!)),
        ];

        IEnumerable<string> shared = Documents(20_000).SelectMany(d => d.Turns).Select(turn => turn.Content)
            .Where(text => tickets.Contains(text) || text.Contains("triage", StringComparison.OrdinalIgnoreCase)
                || text.Contains("\"priority\"", StringComparison.Ordinal));

        Assert.Empty(shared);
    }

    private static IEnumerable<Document> Documents(int count) =>
        Enumerable.Range(0, count).Select(i => Composer.Make(Seed, (ulong)i));

    // A slot, a choice that was not made, or an article before the wrong sound.
    [GeneratedRegex(@"\{[a-z0-9_]+\}|\{(a|cap):|\[[^\]""]*\|[^\]""]*\]|\ba [aei][a-z]{2,}\b(?<!\ba (one|unit|uniform)\b)")]
    private static partial Regex LeftOver();
}
