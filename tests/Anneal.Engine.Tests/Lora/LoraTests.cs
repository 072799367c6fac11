using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Compute;
using Anneal.Engine.Lora;
using Anneal.Engine.Methods;
using Anneal.Engine.Tensors;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Lora;

public sealed class LoraTests
{
    private static readonly string Model = Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "llama");
    private static readonly string Adapter = Path.Combine(Model, "expected", "adapter");

    [Fact]
    public void A_peft_adapter_is_written_with_the_bytes_it_was_read_with()
    {
        using ICompute compute = TestDecoder.CreateCompute();
        using TemporaryFolder folder = new();
        using LoraAdapter adapter = LoraCheckpoint.Load(Adapter, ArchitectureCatalog.Load(Model), compute);
        LoraCheckpoint.Save(folder.Path, adapter, "base", compute);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Adapter, LoraCheckpoint.TensorFile)),
            File.ReadAllBytes(folder.File(LoraCheckpoint.TensorFile)));
        JsonObject written = JsonNode.Parse(File.ReadAllText(folder.File(LoraCheckpoint.ConfigFile)))!.AsObject();
        JsonObject peft = JsonNode.Parse(File.ReadAllText(Path.Combine(Adapter, LoraCheckpoint.ConfigFile)))!.AsObject();
        foreach ((string key, JsonNode? value) in written.Where(p => p.Key != "base_model_name_or_path"))
        {
            Assert.True(peft.ContainsKey(key), key);
            string expected = key == "lora_dropout" ? "0" : peft[key]?.ToJsonString() ?? "null";
            Assert.Equal(expected, value?.ToJsonString() ?? "null");
        }
    }

    [Theory]
    [InlineData("peft_type", "\"IA3\"", "'IA3'")]
    [InlineData("use_dora", "true", "use_dora")]
    [InlineData("bias", "\"all\"", "bias")]
    [InlineData("modules_to_save", "[\"lm_head\"]", "modules_to_save")]
    [InlineData("fan_in_fan_out", "true", "fan_in_fan_out")]
    [InlineData("lora_bias", "true", "lora_bias")]
    [InlineData("layer_replication", "[[0,1]]", "layer_replication")]
    [InlineData("trainable_token_indices", "[1]", "trainable_token_indices")]
    [InlineData("something_new", "3", "something_new")]
    [InlineData("r", "0", "rank is 0")]
    [InlineData("r", "\"four\"", "wrong type")]
    [InlineData("r", "5", "lora_A.weight' is F32[4, 40]; [5, 40] is wanted")]
    public void What_the_engine_does_not_do_is_refused_by_name(string field, string value, string named)
    {
        using ICompute compute = TestDecoder.CreateCompute();
        using TemporaryFolder folder = new();
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(Adapter, LoraCheckpoint.ConfigFile)))!.AsObject();
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(folder.File(LoraCheckpoint.ConfigFile), config.ToJsonString());
        File.Copy(Path.Combine(Adapter, LoraCheckpoint.TensorFile), folder.File(LoraCheckpoint.TensorFile));
        InvalidDataException fault = Assert.Throws<InvalidDataException>(
            () => LoraCheckpoint.Load(folder.Path, ArchitectureCatalog.Load(Model), compute));
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Patterns_set_rank_and_scale_by_the_end_of_the_module_name()
    {
        LoraOptions options = new()
        {
            Rank = 4,
            Alpha = 8,
            RankPattern = new Dictionary<string, int> { ["q_proj"] = 2, ["layers.1.mlp.down_proj"] = 6 },
            AlphaPattern = new Dictionary<string, double> { ["q_proj"] = 10, ["roj"] = 99 },
        };
        Assert.Equal(new LoraSlot(0, Projection.Query, 2, 5), LoraAdapter.Slot(0, Projection.Query, options));
        Assert.Equal(new LoraSlot(0, Projection.Down, 4, 2), LoraAdapter.Slot(0, Projection.Down, options));
        Assert.Equal(6, LoraAdapter.Slot(1, Projection.Down, options).Rank);
        LoraOptions stabilized = options with { RankStabilized = true };
        Assert.Equal(4, LoraAdapter.Slot(0, Projection.Up, stabilized).Scale);
    }

    [Theory]
    [InlineData("all", 7)]
    [InlineData("q_proj, v_proj", 2)]
    public void Targets_are_all_or_names(string text, int count) => Assert.Equal(count, LoraOptions.ParseTargets(text).Count);

    [Theory]
    [InlineData("lm_head")]
    [InlineData("")]
    public void Unknown_targets_list_the_known_ones(string text)
    {
        ArgumentException fault = Assert.Throws<ArgumentException>(() => LoraOptions.ParseTargets(text));
        Assert.Contains("gate_proj", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fresh_adapter_has_uniform_A_and_zero_B_and_depends_on_the_seed()
    {
        using BaseModel model = TinyModel.Create();
        using ICompute compute = TestDecoder.CreateCompute();
        float[] First(ulong seed)
        {
            using TrainingStart start = TrainingStart.Of(
                model, compute, new SupervisedOptions { Lora = new LoraOptions { Rank = 8 }, Seed = seed });
            using ParameterSet parameters = start.CreateParameters();
            foreach (LoraPair pair in parameters.Parameters.Adapter!.Pairs)
            {
                float bound = 1 / MathF.Sqrt(pair.A.Columns);
                float[] a = pair.A.AsSpan<float>().ToArray();
                Assert.All(a, n => Assert.InRange(n, -bound, bound));
                Assert.True(ReferenceCase.Largest(a) > 0.9 * bound);
                Assert.Equal(0, ReferenceCase.Largest(pair.B.AsSpan<float>().ToArray()));
            }

            return parameters.Tensors[0].Value.AsSpan<float>().ToArray();
        }

        Assert.Equal(First(1), First(1));
        Assert.NotEqual(First(1), First(2));
    }

    [Fact]
    public void A_merged_model_computes_what_base_and_adapter_compute()
    {
        using BaseModel model = BaseModel.Load(Model);
        using ICompute compute = TestDecoder.CreateCompute();
        using LoraAdapter adapter = LoraCheckpoint.Load(Adapter, model.Config, compute);
        using TemporaryFolder folder = new();
        LoraMerge.Save(folder.Path, model, adapter, DType.F32, compute);
        Assert.True(File.Exists(folder.File("tokenizer.json")));
        using BaseModel merged = BaseModel.Load(folder.Path);
        int[] ids = [3, 99, 12, 250];
        using TestDecoder one = new(compute, model.Config, new DecoderParameters(model.Weights, Adapter: adapter), 8, 1);
        using TestDecoder other = new(compute, merged.Config, new DecoderParameters(merged.Weights), 8, 1);
        ReferenceCase.AssertClose("logits", one.Logits(ids), other.Logits(ids), 1e-4);
    }
}
