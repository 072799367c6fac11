using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Checkpoints;

/// <summary>Writes whole models in Hugging Face's layout.</summary>
public static class ModelFolder
{
    /// <summary>What a model folder has beside its weights, where the base model has it.</summary>
    private static readonly string[] Companions =
    [
        "generation_config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json",
        "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json",
    ];

    /// <summary>
    /// Writes <c>model.safetensors</c> in <paramref name="type"/>, the base model's <c>config.json</c> with that type entered,
    /// and copies of its tokenizer files. <c>config.json</c> comes last: a folder that has it is complete.
    /// </summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="model">Where configuration and tokenizer come from.</param>
    /// <param name="weight">Finds a weight by its name.</param>
    /// <param name="type">Storage; F32 keeps every bit of what was trained.</param>
    /// <param name="compute">The device that holds the weights.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void Save(string folder, BaseModel model, Func<string, Tensor> weight, DType type, ICompute compute)
    {
        Directory.CreateDirectory(folder);
        SafetensorsWriter.Write(
            Path.Combine(folder, Safetensors.SingleFile),
            compute,
            model.Config.Weights().Select(spec => new SafetensorsItem(spec.Name, weight(spec.Name), type, spec.IsVector)),
            new Dictionary<string, string> { ["format"] = "pt" });
        if (model.Folder.Length == 0)
        {
            return;
        }

        foreach (string name in Companions)
        {
            string source = Path.Combine(model.Folder, name);
            if (File.Exists(source))
            {
                byte[] bytes = File.ReadAllBytes(source);
                AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(bytes));
            }
        }

        AtomicFile.WriteText(Path.Combine(folder, "config.json"), Configuration(model.Folder, type));
    }

    private static string Configuration(string source, DType type)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(source, "config.json")))!.AsObject();
        string name = type switch
        {
            DType.F32 => "float32",
            DType.BF16 => "bfloat16",
            DType.F16 => "float16",
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a floating type."),
        };

        // transformers 4 called the field torch_dtype; whichever the file has is kept.
        config[config.ContainsKey("torch_dtype") ? "torch_dtype" : "dtype"] = name;
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            config.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
