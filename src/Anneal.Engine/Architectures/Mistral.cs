namespace Anneal.Engine.Architectures;

/// <summary>Mistral 7B and its kin (Jiang et al. 2023): Llama's block with a sliding window in every layer, no biases.</summary>
internal static class Mistral
{
    public const string ModelType = "mistral";

    private const int WindowWhenNotSaid = 4096;

    public static DecoderConfig Read(ConfigReader config)
    {
        int hidden = config.Size("hidden_size");
        int heads = config.Size("num_attention_heads");
        int layers = config.Size("num_hidden_layers");
        int positions = config.FindSize("max_position_embeddings") ?? 131_072;
        int headSize = Family.HeadSize(config, hidden, heads);

        // A file that says null has no window; one that says nothing has transformers' default.
        int window = config.FindSize("sliding_window") ?? (config.Has("sliding_window") ? 0 : WindowWhenNotSaid);
        return new DecoderConfig
        {
            ModelType = ModelType,
            VocabularySize = config.Size("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = config.Size("intermediate_size"),
            Layers = layers,
            Heads = heads,
            KeyValueHeads = Family.KeyValueHeads(config, heads, missing: 8),
            HeadSize = headSize,
            MaxPositions = positions,
            NormEpsilon = Family.NormEpsilon(config),
            Rope = RopeConfig.Read(config, headSize, positions, defaultTheta: 10_000),
            Activation = Family.ReadActivation(config),
            TieEmbeddings = config.Flag("tie_word_embeddings", false),
            Windows = [.. Enumerable.Repeat(window, layers)],
        };
    }
}
