using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Generation;
using Anneal.Engine.Tests.Architectures;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Generation;

public sealed class GeneratorTests
{
    internal static readonly string Llama = Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "llama");

    [Fact]
    public async Task A_seeded_text_does_not_depend_on_what_runs_beside_it()
    {
        await using Bed bed = new(Llama);
        SamplingOptions sampling = new() { Seed = 11, Temperature = 0.9f, TopP = 0.9f };
        int[] alone = await bed.Ids([5, 6, 7], 12, null, sampling);
        Task<int[]>[] crowd = [.. Enumerable.Range(0, 8).Select(i => bed.Ids([5 + i, 6, 7, 8 + i], 5 + (2 * i), null))];
        int[] beside = await bed.Ids([5, 6, 7], 12, null, sampling);
        await Task.WhenAll(crowd);
        Assert.Equal(alone, beside);
    }

    [Fact]
    public async Task Cached_decoding_gives_the_log_probabilities_of_prompts_one_token_longer()
    {
        await using Bed bed = new(Llama);
        List<GeneratedToken> tokens = await bed.Tokens(
            new GenerationRequest { PromptIds = [3, 4, 5], MaxNewTokens = 8, Sampling = new() { Temperature = 0 }, TopLogProbabilities = 2 });
        List<int> prompt = [3, 4, 5];
        foreach (GeneratedToken token in tokens)
        {
            GeneratedToken first = (await bed.Tokens(new GenerationRequest
            {
                PromptIds = [.. prompt], MaxNewTokens = 1, Sampling = new() { Temperature = 0 }, TopLogProbabilities = 2,
            }))[0];
            Assert.Equal(first.Id, token.Id);

            // Another order of sums in attention and products: a few units in the last place of logits of size ten.
            Assert.Equal(first.LogProbability, token.LogProbability, 5e-5f);
            Assert.Equal(token.Id, token.Top[0].Id);
            Assert.Equal(first.Top[1].LogProbability, token.Top[1].LogProbability, 5e-5f);
            prompt.Add(token.Id);
        }
    }

    [Fact]
    public async Task Limits_are_told_before_anything_runs()
    {
        await using Bed bed = new(Llama);
        ContextLengthException tooLong = await Assert.ThrowsAsync<ContextLengthException>(
            () => bed.Tokens(new GenerationRequest { PromptIds = new int[bed.Model.Config.MaxPositions] }));
        Assert.Contains($"{bed.Model.Config.MaxPositions} tokens", tooLong.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<KeyNotFoundException>(
            () => bed.Tokens(new GenerationRequest { PromptIds = [1], Adapter = "unknown" }));
        await Assert.ThrowsAsync<ArgumentException>(() => bed.Tokens(new GenerationRequest { PromptIds = [1_000_000] }));
        Assert.Throws<InvalidDataException>(() => bed.Generator.LoadAdapter("none", Path.Combine(Llama, "nothing here")));
        Assert.False(bed.Generator.HasAdapter("none"));
    }

    [Fact]
    public async Task An_adapter_unloaded_in_use_serves_its_request_to_the_end()
    {
        await using Bed bed = new(Llama);
        bed.Generator.LoadAdapter("a", Path.Combine(Llama, "expected", "adapter"));
        int[] whole = await bed.Ids([9, 8, 7], 10, "a");
        List<int> ids = [];
        await foreach (GeneratedToken token in bed.Generator.GenerateAsync(Request([9, 8, 7], 10, "a", null)))
        {
            if (ids.Count == 0)
            {
                Assert.True(bed.Generator.UnloadAdapter("a"));
            }

            ids.Add(token.Id);
        }

        Assert.Equal(whole, ids);
        Assert.False(bed.Generator.UnloadAdapter("a"));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => bed.Ids([9], 1, "a"));
    }

    [Fact]
    public async Task A_reader_that_leaves_gives_its_place_back()
    {
        await using Bed bed = new(Llama, new GeneratorOptions { MaxBatch = 1 });
        for (int i = 0; i < 5; i++)
        {
            await foreach (GeneratedToken token in bed.Generator.GenerateAsync(Request([2, 3], 100, null, null)))
            {
                break;
            }
        }

        Assert.Equal(3, (await bed.Ids([2, 3], 3, null)).Length);
    }

    [Fact]
    public async Task Requests_still_running_fail_when_the_generator_ends()
    {
        Bed bed = new(Llama);
        Task<int[]> running = bed.Ids([2, 3], 200, null);
        await bed.Generator.DisposeAsync();
        await Assert.ThrowsAnyAsync<ObjectDisposedException>(() => running);
        await bed.DisposeAsync();
    }

    private static GenerationRequest Request(int[] prompt, int count, string? adapter, SamplingOptions? sampling) => new()
    {
        PromptIds = prompt, MaxNewTokens = count, Adapter = adapter, Sampling = sampling ?? new() { Temperature = 0 },
    };

    internal sealed class Bed : IAsyncDisposable
    {
        private readonly ICompute _compute = TestDecoder.CreateCompute();

        public Bed(string folder, GeneratorOptions? options = null)
        {
            Model = BaseModel.Load(folder);

            // Texts are of no interest here, and the models share a tokenizer.
            string own = Path.Combine(folder, "tokenizer.json");
            Tokenizer tokenizer = Tokenizer.Load(File.Exists(own) ? own : Path.Combine(Llama, "tokenizer.json"));
            Generator = new Generator(Model, tokenizer, new HashSet<int>(), _compute, options);
        }

        public BaseModel Model { get; }

        public Generator Generator { get; }

        public async Task<List<GeneratedToken>> Tokens(GenerationRequest request)
        {
            List<GeneratedToken> tokens = [];
            await foreach (GeneratedToken token in Generator.GenerateAsync(request))
            {
                tokens.Add(token);
            }

            Assert.Equal(FinishReason.Length, tokens[^1].FinishReason);
            return tokens;
        }

        public async Task<int[]> Ids(int[] prompt, int count, string? adapter, SamplingOptions? sampling = null) =>
            [.. (await Tokens(Request(prompt, count, adapter, sampling))).Select(token => token.Id)];

        public async ValueTask DisposeAsync()
        {
            await Generator.DisposeAsync();
            Model.Dispose();
            _compute.Dispose();
        }
    }
}
