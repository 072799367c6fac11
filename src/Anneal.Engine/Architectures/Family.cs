using System.Text.Json;
using Anneal.Engine.Compute;

namespace Anneal.Engine.Architectures;

/// <summary>Fields that several families spell the same way.</summary>
internal static class Family
{
    public static int HeadSize(ConfigReader config, int hidden, int heads) =>
        config.FindSize("head_dim") ?? (hidden % heads == 0
            ? hidden / heads
            : throw config.Fault("num_attention_heads", $"is {heads}, which does not divide hidden_size {hidden}"));

    public static int KeyValueHeads(ConfigReader config, int heads, int missing)
    {
        int count = config.FindSize("num_key_value_heads") ?? missing;
        return heads % count == 0
            ? count
            : throw config.Fault("num_key_value_heads", $"is {count}, which does not divide num_attention_heads {heads}");
    }

    public static float NormEpsilon(ConfigReader config) => (float)config.Number("rms_norm_eps", 1e-6);

    public static Activation ReadActivation(ConfigReader config)
    {
        string name = config.Text("hidden_act", "silu");
        return name switch
        {
            "silu" or "swish" => Activation.Silu,
            "gelu" => Activation.Gelu,

            // Two spellings in transformers of the same tanh approximation.
            "gelu_pytorch_tanh" or "gelu_new" => Activation.GeluTanh,
            _ => throw config.Fault(
                "hidden_act", $"is '{name}'; supported are silu, gelu, gelu_pytorch_tanh and gelu_new"),
        };
    }

    /// <summary>
    /// Qwen's windows: <c>layer_types</c> where the file has it, else the layers from <c>max_window_layers</c> upwards, and
    /// only when <c>use_sliding_window</c> is set.
    /// </summary>
    public static IReadOnlyList<int> UpperWindows(ConfigReader config, int layers)
    {
        bool used = config.Flag("use_sliding_window", false);
        int window = config.FindSize("sliding_window") ?? (used && !config.Has("sliding_window") ? 4096 : 0);
        int full = config.Find("max_window_layers") is { } value
            ? (int)config.ToNumber("max_window_layers", value)
            : 28;
        if (!used)
        {
            window = 0;
        }

        if (config.Find("layer_types") is not { } types)
        {
            return window == 0 ? [] : [.. Enumerable.Range(0, layers).Select(i => i >= full ? window : 0)];
        }

        if (types.ValueKind != JsonValueKind.Array || types.GetArrayLength() != layers)
        {
            throw config.Fault("layer_types", $"is not a list of {layers} names, one a layer");
        }

        return [.. types.EnumerateArray().Select(type => WindowOf(config, type, window))];
    }

    private static int WindowOf(ConfigReader config, JsonElement type, int window) =>
        (type.ValueKind == JsonValueKind.String ? type.GetString() : null) switch
        {
            "full_attention" => 0,
            "sliding_attention" when window > 0 => window,
            "sliding_attention" => throw config.Fault("layer_types", "asks for a window, but no sliding_window is in use"),
            _ => throw config.Fault(
                "layer_types", $"holds {type.GetRawText()}; supported are full_attention and sliding_attention"),
        };
}
