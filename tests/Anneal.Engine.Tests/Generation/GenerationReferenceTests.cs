using System.Text.Json.Nodes;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Generation;

public sealed class GenerationReferenceTests
{
    public static TheoryData<string> Folders => ReferenceCase.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task Greedy_texts_equal_the_references_one_by_one_and_all_at_once(string folder)
    {
        ReferenceCase reference = ReferenceCase.Open(folder);
        if (!reference.Has("greedy"))
        {
            Assert.Skip($"{folder} has no greedy continuations.");
        }

        await using GeneratorTests.Bed bed = new(folder);
        List<(int[] Prompt, int[] Expected, string? Adapter)> cases = [];
        foreach (JsonNode? greedy in reference["greedy"].AsArray())
        {
            cases.Add((Ids(greedy!["prompt"]!), Ids(greedy["continuation"]!), null));
        }

        if (Directory.Exists(reference.AdapterFolder) && reference["lora"]["greedy"] is { } tuned)
        {
            // The adapter's continuation starts from the first prompt.
            bed.Generator.LoadAdapter("tuned", reference.AdapterFolder);
            cases.Add((cases[0].Prompt, Ids(tuned), "tuned"));
        }

        foreach ((int[] prompt, int[] expected, string? adapter) in cases)
        {
            Assert.Equal(expected, await bed.Ids(prompt, expected.Length, adapter));
        }

        int[][] together = await Task.WhenAll(cases.Select(c => bed.Ids(c.Prompt, c.Expected.Length, c.Adapter)));
        for (int i = 0; i < cases.Count; i++)
        {
            Assert.Equal(cases[i].Expected, together[i]);
        }
    }

    private static int[] Ids(JsonNode list) => [.. list.AsArray().Select(id => (int)id!)];
}
