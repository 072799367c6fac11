namespace Anneal.Engine.Architectures;

/// <summary>Qwen 3, dense (Yang et al. 2025): q and k normalised head by head, a head size of its own, biases only if asked.</summary>
internal static class Qwen3
{
    public const string ModelType = "qwen3";

    private const int HeadSizeWhenNotSaid = 128;

    public static DecoderConfig Read(ConfigReader config)
    {
        int hidden = config.Size("hidden_size");
        int heads = config.Size("num_attention_heads");
        int layers = config.Size("num_hidden_layers");
        int positions = config.FindSize("max_position_embeddings") ?? 32_768;
        int headSize = config.FindSize("head_dim") ?? HeadSizeWhenNotSaid;
        bool attentionBias = config.Flag("attention_bias", false);
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
            QueryKeyValueBias = attentionBias,
            OutputBias = attentionBias,
            QueryKeyNorm = true,
            Windows = Family.UpperWindows(config, layers),
        };
    }
}
