using System.Text.Json.Nodes;
using Anneal.Engine.Generation;

namespace Anneal.Engine.Tests.Generation;

public sealed class SamplerTests
{
    // Stated by the reference's README: probabilities are stored from float32 arithmetic over two dozen logits.
    private const double Tolerance = 1e-5;

    [Fact]
    public void Probabilities_agree_with_the_reference_cases_kept_here() =>
        CheckCases(Path.Combine(AppContext.BaseDirectory, "Fixtures", "sampling", "cases.json"));

    [Fact]
    public void A_seed_gives_the_same_draws_and_another_seed_others()
    {
        float[] logits = [.. Enumerable.Range(0, 50).Select(i => MathF.Sin(i))];
        int[] Draw(long seed)
        {
            Sampler sampler = new(new SamplingOptions { Seed = seed }, [], 0);
            return [.. Enumerable.Range(0, 40).Select(_ => sampler.Sample(logits))];
        }

        Assert.Equal(Draw(7), Draw(7));
        Assert.NotEqual(Draw(7), Draw(8));
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        float[] logits = [0, 1, 2, -1];
        Sampler sampler = new(new SamplingOptions { Seed = 3 }, [], 0);
        double[] expected = sampler.Probabilities(logits);
        int[] counts = new int[4];
        const int Draws = 40_000;
        for (int i = 0; i < Draws; i++)
        {
            counts[sampler.Sample(logits)]++;
        }

        for (int i = 0; i < 4; i++)
        {
            // Five standard deviations of a binomial share.
            double deviation = 5 * Math.Sqrt(expected[i] * (1 - expected[i]) / Draws);
            Assert.InRange(counts[i] / (double)Draws, expected[i] - deviation, expected[i] + deviation);
        }
    }

    [Fact]
    public void Temperature_zero_takes_the_largest_logit_and_the_lowest_id_on_ties()
    {
        Sampler sampler = new(new SamplingOptions { Temperature = 0 }, [], 0);
        Assert.Equal(1, sampler.Sample([0, 5, 5, 2]));
    }

    [Fact]
    public void Logit_bias_can_force_and_forbid()
    {
        SamplingOptions options = new()
        {
            Temperature = 0, LogitBias = new Dictionary<int, float> { [0] = 100, [1] = -100, [99] = 5 },
        };
        Assert.Equal(0, new Sampler(options, [], 0).Sample([0, 5, 4]));
    }

    [Fact]
    public void Broken_logits_are_an_error()
    {
        Assert.Throws<InvalidOperationException>(() => new Sampler(new(), [], 0).Sample([float.NaN, float.PositiveInfinity]));
        SamplingOptions greedy = new() { Temperature = 0 };
        Assert.Throws<InvalidOperationException>(() => new Sampler(greedy, [], 0).Sample([float.NaN, 1, 2]));
        Assert.Throws<InvalidOperationException>(() => new Sampler(greedy, [], 0).Sample([1, float.NaN, 2]));
    }

    internal static void CheckCases(string file)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllText(file))!;
        int number = 0;
        foreach (JsonNode? node in root["cases"]!.AsArray())
        {
            JsonNode row = root["rows"]![(int)node!["row"]!]!;
            JsonObject given = node["parameters"]!.AsObject();
            SamplingOptions options = new()
            {
                Temperature = Value("temperature", 1),
                TopP = Value("top_p", 1),
                TopK = (int)Value("top_k", 0),
                MinP = Value("min_p", 0),
                TypicalP = Value("typical_p", 1),
                FrequencyPenalty = Value("frequency_penalty", 0),
                PresencePenalty = Value("presence_penalty", 0),
                RepetitionPenalty = Value("repetition_penalty", 1),
            };
            Sampler sampler = new(options, Ids(row["prompt"]!), 0);
            foreach (int id in Ids(row["generated"]!))
            {
                sampler.Accept(id);
            }

            double[] expected = [.. node["probabilities"]!.AsArray().Select(p => (double)p!)];
            double[] actual = sampler.Probabilities([.. row["logits"]!.AsArray().Select(l => (float)l!)]);
            if ((bool)node["splits_a_tie"]!)
            {
                Array.Sort(expected);
                Array.Sort(actual);
            }

            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(
                    Math.Abs(expected[i] - actual[i]) <= Tolerance,
                    $"Case {number}, {given.ToJsonString()}, id {i}: {actual[i]} where {expected[i]} was expected.");
            }

            number++;

            float Value(string name, float otherwise) => given[name] is { } value ? (float)value : otherwise;
        }

        Assert.NotEqual(0, number);
    }

    private static int[] Ids(JsonNode list) => [.. list.AsArray().Select(id => (int)id!)];
}
