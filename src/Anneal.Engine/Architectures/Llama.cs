namespace Anneal.Engine.Architectures;

/// <summary>Llama 1 to 3, and the many models that copy its shape (Touvron et al. 2023): optional biases, any rope kind.</summary>
internal static class Llama
{
    public const string ModelType = "llama";

    public static DecoderConfig Read(ConfigReader config)
    {
        int hidden = config.Size("hidden_size");
        int heads = config.Size("num_attention_heads");
        int positions = config.FindSize("max_position_embeddings") ?? 2048;
        int headSize = Family.HeadSize(config, hidden, heads);
        bool attentionBias = config.Flag("attention_bias", false);
        return new DecoderConfig
        {
            ModelType = ModelType,
            VocabularySize = config.Size("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = config.Size("intermediate_size"),
            Layers = config.Size("num_hidden_layers"),
            Heads = heads,
            KeyValueHeads = Family.KeyValueHeads(config, heads, heads),
            HeadSize = headSize,
            MaxPositions = positions,
            NormEpsilon = Family.NormEpsilon(config),
            Rope = RopeConfig.Read(config, headSize, positions, defaultTheta: 10_000),
            Activation = Family.ReadActivation(config),
            TieEmbeddings = config.Flag("tie_word_embeddings", false),
            QueryKeyValueBias = attentionBias,
            OutputBias = attentionBias,
            MlpBias = config.Flag("mlp_bias", false),
        };
    }
}
