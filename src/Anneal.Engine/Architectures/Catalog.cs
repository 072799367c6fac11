namespace Anneal.Engine.Architectures;

/// <summary>
/// Which networks the engine knows. A new family is a file beside this one, and one line in the switch and one in the list.
/// </summary>
public static class ArchitectureCatalog
{
    /// <summary>Every supported <c>model_type</c>.</summary>
    public static IReadOnlyList<string> ModelTypes { get; } =
        [Llama.ModelType, Mistral.ModelType, Qwen2.ModelType, Qwen3.ModelType];

    /// <summary>Reads <c>config.json</c> as transformers 4 or 5 writes it.</summary>
    /// <exception cref="InvalidDataException">
    /// No config, an unsupported <c>model_type</c> (the supported ones are listed), or the field that is missing, wrong, or
    /// not handled though it might change what the model computes.
    /// </exception>
    public static DecoderConfig Load(string modelFolder)
    {
        ConfigReader config = ConfigReader.Open(modelFolder);
        string modelType = config.Text("model_type", "");
        DecoderConfig decoder = modelType switch
        {
            Llama.ModelType => Llama.Read(config),
            Mistral.ModelType => Mistral.Read(config),
            Qwen2.ModelType => Qwen2.Read(config),
            Qwen3.ModelType => Qwen3.Read(config),
            "" => throw config.Fault("model_type", $"is missing; supported are {string.Join(", ", ModelTypes)}"),
            _ => throw config.Fault(
                "model_type", $"is '{modelType}', which is not supported; supported are {string.Join(", ", ModelTypes)}"),
        };

        // Random parts inside attention change what training computes; every released model of these families has 0.
        config.RequireNumber("attention_dropout", 0);
        if (decoder.HeadSize % 2 != 0)
        {
            throw config.Fault("head_dim", $"is {decoder.HeadSize}; rotary position embedding needs an even size");
        }

        config.RefuseUnread(modelType);
        return decoder with { PaddingId = config.FindTokenId("pad_token_id") ?? -1 };
    }
}
