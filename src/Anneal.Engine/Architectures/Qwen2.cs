namespace Anneal.Engine.Architectures;

/// <summary>Qwen 2 and 2.5 (Yang et al. 2024): biases on q, k and v; optionally a window in the upper layers.</summary>
internal static class Qwen2
{
    public const string ModelType = "qwen2";

    public static DecoderConfig Read(ConfigReader config)
    {
        int hidden = config.Size("hidden_size");
        int heads = config.Size("num_attention_heads");
        int layers = config.Size("num_hidden_layers");
        int positions = config.FindSize("max_position_embeddings") ?? 32_768;
        int headSize = Family.HeadSize(config, hidden, heads);
        return new DecoderConfig
        {
            ModelType = ModelType,
            VocabularySize = config.Size("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = config.Size("intermediate_size"),
            Layers = layers,
            Heads = heads,
            KeyValueHeads = Family.KeyValueHeads(config, heads, missing: 32),
            HeadSize = headSize,
            MaxPositions = positions,
            NormEpsilon = Family.NormEpsilon(config),
            Rope = RopeConfig.Read(config, headSize, positions, defaultTheta: 10_000),
            Activation = Family.ReadActivation(config),
            TieEmbeddings = config.Flag("tie_word_embeddings", false),
            QueryKeyValueBias = true,
            Windows = Family.UpperWindows(config, layers),
        };
    }
}
