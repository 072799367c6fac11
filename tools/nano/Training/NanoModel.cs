using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;

namespace Anneal.Nano.Training;

/// <summary>
/// The shape of anneal-nano and its first weights. Six blocks of width 256 with a small vocabulary put most of the 5.8
/// million parameters into the blocks, and eight narrow heads rather than four wide ones give more room for the copying
/// that extraction needs.
/// </summary>
internal static class NanoModel
{
    /// <summary>Longest text that the model is trained on.</summary>
    public const int ContextLength = 1024;

    /// <summary>Special tokens, bytes and merges together.</summary>
    public const int VocabularySize = 4096;

    private const int Layers = 6;

    /// <summary>config.json: a llama with tied embeddings.</summary>
    public static JsonObject Config() => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["attention_bias"] = false,
        ["attention_dropout"] = 0.0,
        ["bos_token_id"] = null,
        ["eos_token_id"] = 2,
        ["head_dim"] = 32,
        ["hidden_act"] = "silu",
        ["hidden_size"] = 256,
        ["initializer_range"] = 0.02,
        ["intermediate_size"] = 768,
        ["max_position_embeddings"] = ContextLength,
        ["mlp_bias"] = false,
        ["model_type"] = "llama",
        ["num_attention_heads"] = 8,
        ["num_hidden_layers"] = Layers,
        ["num_key_value_heads"] = 4,
        ["rms_norm_eps"] = 1e-5,
        ["rope_scaling"] = null,
        ["rope_theta"] = 10000.0,
        ["tie_word_embeddings"] = true,
        ["torch_dtype"] = "bfloat16",
        ["use_cache"] = true,
        ["vocab_size"] = VocabularySize,
    };

    /// <summary>generation_config.json: answers end at the end of a turn or of a document.</summary>
    public static JsonObject GenerationConfig() => new()
    {
        ["eos_token_id"] = new JsonArray(2, 0),
        ["pad_token_id"] = 0,
    };

    /// <summary>
    /// Draws the first values of a weight: normal with deviation 0.02, in the layers that write to the residual stream
    /// divided by √(2 · blocks) (Radford et al. 2019); norms are one.
    /// </summary>
    public static void Initialize(Span<float> values, WeightSpec weight, ulong seed, ulong stream)
    {
        if (weight.IsVector)
        {
            values.Fill(1);
            return;
        }
        Corpus.Dice dice = new(seed, stream);
        bool residual = weight.Name.EndsWith("o_proj.weight", StringComparison.Ordinal)
            || weight.Name.EndsWith("down_proj.weight", StringComparison.Ordinal);
        double deviation = residual ? 0.02 / Math.Sqrt(2 * Layers) : 0.02;
        foreach (ref float value in values)
        {
            value = (float)(deviation * Normal(dice));
        }
    }

    // Box and Muller 1958; the second number of each pair is not used.
    private static double Normal(Corpus.Dice dice) =>
        Math.Sqrt(-2 * Math.Log(1 - dice.Unit())) * Math.Cos(2 * Math.PI * dice.Unit());
}
