using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;

namespace Anneal.Engine.Tests.Architectures;

public sealed class ConfigTests
{
    private static readonly string Llama = Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "llama");
    private static readonly string Qwen3 = Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "qwen3");

    [Theory]
    [InlineData("model_type", "\"gemma9\"", "'gemma9'")]
    [InlineData("hidden_act", "\"relu6\"", "'relu6'")]
    [InlineData("num_hidden_layers", "0", "num_hidden_layers")]
    [InlineData("num_hidden_layers", "2.5", "num_hidden_layers")]
    [InlineData("num_key_value_heads", "3", "does not divide")]
    [InlineData("attention_dropout", "0.1", "attention_dropout")]
    [InlineData("final_logit_softcapping", "30.0", "final_logit_softcapping")]
    [InlineData("residual_multiplier", "0.5", "residual_multiplier")]
    [InlineData("quantization_config", "{\"bits\":4}", "quantization_config")]
    [InlineData("partial_rotary_factor", "0.5", "partial_rotary_factor")]
    [InlineData("rope_scaling", "{\"type\":\"spiral\",\"factor\":2}", "'spiral'")]
    [InlineData("rope_scaling", "{\"type\":\"linear\",\"factor\":2,\"twist\":1}", "rope_scaling.twist")]
    [InlineData("rope_scaling", "{\"type\":\"linear\"}", "rope_scaling.factor")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":1}", "high_freq_factor")]
    [InlineData("rope_parameters", "{\"full_attention\":{\"rope_type\":\"default\"}}", "rope_parameters.full_attention")]
    [InlineData("tie_word_embeddings", "1", "tie_word_embeddings")]
    [InlineData("head_dim", "7", "head_dim")]
    public void A_field_that_is_wrong_or_not_handled_is_named(string field, string value, string named)
    {
        using TemporaryFolder folder = new();
        Change(Llama, folder, config => config[field] = JsonNode.Parse(value));
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => ArchitectureCatalog.Load(folder.Path));
        Assert.Contains("config.json", fault.Message, StringComparison.Ordinal);
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("_name_or_path", "\"somewhere/else\"")]
    [InlineData("unsloth_version", "\"2026.1\"")]
    [InlineData("rope_interleaved", "false")]
    [InlineData("final_logit_softcapping", "null")]
    [InlineData("sliding_window", "null")]
    [InlineData("eos_token_id", "[2, 3]")]
    [InlineData("temperature", "0.6")]
    public void A_field_that_changes_nothing_is_let_pass(string field, string value)
    {
        using TemporaryFolder folder = new();
        Change(Llama, folder, config => config[field] = JsonNode.Parse(value));
        Assert.Equal("llama", ArchitectureCatalog.Load(folder.Path).ModelType);
    }

    [Theory]
    [InlineData("hidden_size")]
    [InlineData("vocab_size")]
    [InlineData("num_attention_heads")]
    [InlineData("model_type")]
    public void A_field_that_is_missing_is_named(string field)
    {
        using TemporaryFolder folder = new();
        Change(Llama, folder, config => config.Remove(field));
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => ArchitectureCatalog.Load(folder.Path));
        Assert.Contains($"'{field}' is missing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_spellings_of_a_rope_mean_the_same()
    {
        using TemporaryFolder old = new();
        using TemporaryFolder recent = new();
        Change(Llama, old, config =>
        {
            config["rope_theta"] = 5e5;
            config["rope_scaling"] = JsonNode.Parse("""{"type":"yarn","factor":4.0,"original_max_position_embeddings":64}""");
        });
        Change(Llama, recent, config =>
        {
            config.Remove("rope_theta");
            config.Remove("rope_scaling");
            config["rope_parameters"] = JsonNode.Parse(
                """{"rope_type":"yarn","rope_theta":500000.0,"factor":4.0,"original_max_position_embeddings":64}""");
        });
        RopeConfig a = ArchitectureCatalog.Load(old.Path).Rope;
        RopeConfig b = ArchitectureCatalog.Load(recent.Path).Rope;
        Assert.Equal(a with { ShortFactors = b.ShortFactors, LongFactors = b.LongFactors }, b);
        Assert.Equal(RopeKind.Yarn, a.Kind);
        Assert.Equal((0.1 * Math.Log(4)) + 1, a.AttentionFactor, 1e-12);
    }

    [Fact]
    public void Yarn_takes_its_attention_factor_from_the_two_scales_where_both_are_given()
    {
        using TemporaryFolder folder = new();
        Change(Llama, folder, config => config["rope_scaling"] = JsonNode.Parse(
            """{"type":"yarn","factor":40.0,"original_max_position_embeddings":64,"mscale":0.7,"mscale_all_dim":1.2}"""));
        double expected = ((0.07 * Math.Log(40)) + 1) / ((0.12 * Math.Log(40)) + 1);
        Assert.Equal(expected, ArchitectureCatalog.Load(folder.Path).Rope.AttentionFactor, 1e-12);
    }

    [Fact]
    public void Longrope_switches_its_factors_at_the_original_length()
    {
        RopeConfig rope = new()
        {
            Kind = RopeKind.LongRope,
            RotarySize = 4,
            OriginalMaxPositions = 8,
            AttentionFactor = 1.25,
            ShortFactors = [1, 2],
            LongFactors = [3, 4],
        };
        float[] brief = new float[2];
        float[] extended = new float[2];
        Rotary.Frequencies(rope, 8, brief);
        Rotary.Frequencies(rope, 9, extended);
        Assert.Equal([1f, 1 / 200f], brief);
        Assert.Equal([1 / 3f, 1 / 400f], extended);
        Rotary table = new(rope, 4);
        float[] cos = new float[2];
        float[] sin = new float[2];
        table.Fill(5, 9, cos, sin);
        Assert.Equal(1.25f * MathF.Cos(5f / 3), cos[0], 1e-6f);
        table.Fill(5, 8, cos, sin);
        Assert.Equal(1.25f * MathF.Sin(5f), sin[0], 1e-6f);
    }

    [Theory]
    [InlineData("""{"use_sliding_window":true,"sliding_window":6,"max_window_layers":1,"layer_types":null}""", new[] { 0, 6 })]
    [InlineData("""{"use_sliding_window":true,"sliding_window":6,"layer_types":["sliding_attention","full_attention"]}""", new[] { 6, 0 })]
    [InlineData("""{"use_sliding_window":false,"sliding_window":6,"max_window_layers":0,"layer_types":null}""", new int[0])]
    public void Qwen_windows_come_from_layer_types_or_from_max_window_layers(string fields, int[] windows)
    {
        using TemporaryFolder folder = new();
        Change(Qwen3, folder, config =>
        {
            foreach ((string key, JsonNode? value) in JsonNode.Parse(fields)!.AsObject())
            {
                config[key] = value?.DeepClone();
            }
        });
        Assert.Equal(windows, ArchitectureCatalog.Load(folder.Path).Windows);
    }

    [Fact]
    public void A_weight_of_another_shape_or_without_a_place_is_named()
    {
        using TemporaryFolder folder = new();
        File.Copy(Path.Combine(Llama, "model.safetensors"), folder.File("model.safetensors"));
        Change(Llama, folder, config => config["intermediate_size"] = 80);
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => BaseModel.Load(folder.Path));
        Assert.Contains("gate_proj.weight' is F32[72, 40]; config.json makes it [80, 40]", fault.Message, StringComparison.Ordinal);
        Change(Llama, folder, config => config["num_hidden_layers"] = 1);
        fault = Assert.Throws<InvalidDataException>(() => BaseModel.Load(folder.Path));
        Assert.Contains("'model.layers.1.", fault.Message, StringComparison.Ordinal);
        Change(Llama, folder, config => config["mlp_bias"] = true);
        fault = Assert.Throws<InvalidDataException>(() => BaseModel.Load(folder.Path));
        Assert.Contains("gate_proj.bias' is missing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_config_says_so()
    {
        using TemporaryFolder folder = new();
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => BaseModel.Load(folder.Path));
        Assert.Contains("config.json: there is no such file", fault.Message, StringComparison.Ordinal);
    }

    private static void Change(string source, TemporaryFolder folder, Action<JsonObject> change)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
        change(config);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
    }
}
