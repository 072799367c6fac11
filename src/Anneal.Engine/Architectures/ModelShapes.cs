using System.Collections.Frozen;

namespace Anneal.Engine.Architectures;

/// <summary>Shapes of well-known models, for measuring speed without their weights.</summary>
public static class ModelShapes
{
    private static readonly FrozenDictionary<string, DecoderConfig> Shapes = new Dictionary<string, DecoderConfig>
    {
        ["nano"] = Shape("llama", layers: 8, hidden: 256, heads: 4, keyValueHeads: 2, intermediate: 768, vocabulary: 8192, theta: 1e4),
        ["124m"] = Shape("llama", layers: 12, hidden: 768, heads: 12, keyValueHeads: 12, intermediate: 2048, vocabulary: 32_000, theta: 1e4),

        // SmolLM2-135M.
        ["135m"] = Shape("llama", layers: 30, hidden: 576, heads: 9, keyValueHeads: 3, intermediate: 1536, vocabulary: 49_152, theta: 1e5),

        // Qwen2.5-0.5B, with its biases on q, k and v.
        ["0.5b"] = Shape("qwen2", layers: 24, hidden: 896, heads: 14, keyValueHeads: 2, intermediate: 4864, vocabulary: 151_936, theta: 1e6)
            with { QueryKeyValueBias = true, NormEpsilon = 1e-6f },

        // Llama-3.2-1B, without its rope scaling.
        ["1b"] = Shape("llama", layers: 16, hidden: 2048, heads: 32, keyValueHeads: 8, intermediate: 8192, vocabulary: 128_256, theta: 5e5),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The known names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Shapes.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The shape of a name.</summary>
    /// <exception cref="ArgumentException">Unknown; the message lists the known ones.</exception>
    public static DecoderConfig Get(string name) => Shapes.TryGetValue(name, out DecoderConfig? shape)
        ? shape
        : throw new ArgumentException($"There is no shape '{name}'; known are {string.Join(", ", Names)}.", nameof(name));

    private static DecoderConfig Shape(
        string modelType, int layers, int hidden, int heads, int keyValueHeads, int intermediate, int vocabulary, double theta) =>
        new()
        {
            ModelType = modelType,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            IntermediateSize = intermediate,
            Layers = layers,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = hidden / heads,
            MaxPositions = 8192,
            NormEpsilon = 1e-5f,
            Rope = new RopeConfig { RotarySize = hidden / heads, Theta = theta, OriginalMaxPositions = 8192 },
            TieEmbeddings = true,
        };
}
