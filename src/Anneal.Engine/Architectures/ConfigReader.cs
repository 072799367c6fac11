using System.Collections.Frozen;
using System.Text.Json;

namespace Anneal.Engine.Architectures;

/// <summary>
/// Reads a model's <c>config.json</c> field by field and remembers which were read, so that <see cref="RefuseUnread"/> can
/// refuse a field that nobody understood: such a field might change the mathematics, and approximating in silence is worse
/// than not running.
/// </summary>
internal sealed class ConfigReader
{
    private const int ConfigBytesMax = 4 << 20;

    /// <summary>Fields that name things, configure generation or software, or matter only when training from scratch.</summary>
    private static readonly FrozenSet<string> Harmless = FrozenSet.ToFrozenSet(
    [
        // What the model is called, and what wrote the file.
        "architectures", "auto_map", "custom_pipelines", "finetuning_task", "is_llama_config", "language", "license",
        "model_max_length", "model_name", "name_or_path", "task_specific_params", "tokenizer_class", "transformers.js_config",
        "transformers_version", "unsloth_fixed", "unsloth_version", "problem_type", "id2label", "label2id", "num_labels",
        "prefix",

        // Storage: the weights carry their own type.
        "dtype", "torch_dtype",

        // Special tokens; ModelText reads them.
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id", "decoder_start_token_id",
        "forced_bos_token_id", "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens",

        // How software runs it: the results are the same.
        "attn_implementation", "chunk_size_feed_forward", "gradient_checkpointing", "output_attentions",
        "output_hidden_states", "pretraining_tp", "return_dict", "return_dict_in_generate", "tf_legacy_loss", "torchscript",
        "use_cache", "use_bfloat16", "use_flash_attn", "use_return_dict", "remove_invalid_values", "is_decoder",

        // Start values of weights that are replaced by those in the file.
        "initializer_range",

        // Generation settings that old files keep here; generation has its own.
        "bad_words_ids", "diversity_penalty", "do_sample", "early_stopping", "encoder_no_repeat_ngram_size",
        "exponential_decay_length_penalty", "length_penalty", "max_length", "max_new_tokens", "min_length",
        "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "output_scores",
        "repetition_penalty", "temperature", "top_k", "top_p", "typical_p",
    ],
    StringComparer.Ordinal);

    private readonly JsonElement _root;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    private ConfigReader(string path, JsonElement root)
    {
        Path = path;
        _root = root;
    }

    /// <summary>The file, for messages.</summary>
    public string Path { get; }

    /// <summary>Opens <c>config.json</c> in a model folder.</summary>
    /// <exception cref="InvalidDataException">No such file, or not a JSON object.</exception>
    public static ConfigReader Open(string folder)
    {
        string path = System.IO.Path.Combine(folder, "config.json");
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"{path}: there is no such file; a model folder in Hugging Face's layout is wanted.");
        }

        if (new FileInfo(path).Length > ConfigBytesMax)
        {
            throw new InvalidDataException($"{path}: the file is longer than {ConfigBytesMax} bytes.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigReader(path, document.RootElement.Clone())
                : throw new InvalidDataException($"{path}: not a JSON object.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{path}: not valid JSON ({fault.Message})", fault);
        }
    }

    /// <summary>An error about one field.</summary>
    public InvalidDataException Fault(string field, string what) => new($"{Path}: field '{field}' {what}.");

    /// <summary>The field, or null when it is absent or null.</summary>
    public JsonElement? Find(string field)
    {
        _read.Add(field);
        return _root.TryGetProperty(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Whether the file has the field, be it null.</summary>
    public bool Has(string field) => _root.TryGetProperty(field, out _);

    /// <summary>A whole number from 1 that must be there.</summary>
    public int Size(string field) => FindSize(field) ?? throw Fault(field, "is missing");

    /// <summary>A whole number from 1, or null when absent.</summary>
    public int? FindSize(string field) => Find(field) is not { } value
        ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number > 0
            ? number
            : throw Fault(field, $"is {value.GetRawText()}; a whole number from 1 is wanted");

    /// <summary>A token id, or null when absent or negative (which some files write for none).</summary>
    public int? FindTokenId(string field) => Find(field) is not { } value
        ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id)
            ? id < 0 ? null : id
            : throw Fault(field, $"is {value.GetRawText()}; a token id is wanted");

    /// <summary>A finite number, or <paramref name="missing"/> when absent.</summary>
    public double Number(string field, double missing) => Find(field) is { } value ? ToNumber(field, value) : missing;

    /// <summary>A truth value, or <paramref name="missing"/> when absent.</summary>
    public bool Flag(string field, bool missing) => Find(field) is not { } value
        ? missing
        : value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Fault(field, $"is {value.GetRawText()}; true or false is wanted"),
        };

    /// <summary>A string, or <paramref name="missing"/> when absent.</summary>
    public string Text(string field, string missing) => Find(field) is not { } value
        ? missing
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Fault(field, "is not a string");

    /// <summary>Refuses any value but the neutral one of a field that the engine does not handle.</summary>
    public void RequireNumber(string field, double neutral)
    {
        if (Number(field, neutral) != neutral)
        {
            throw Fault(field, $"is {Find(field)!.Value.GetRawText()}, which is not supported; {neutral} is");
        }
    }

    /// <summary>Refuses every field that was not read, is not known to be harmless and is not switched off.</summary>
    public void RefuseUnread(string architecture)
    {
        foreach (JsonProperty property in _root.EnumerateObject())
        {
            bool known = _read.Contains(property.Name) || Harmless.Contains(property.Name)
                || property.Name.StartsWith('_') || IsOff(property.Value);
            if (!known)
            {
                throw Fault(
                    property.Name,
                    $"is not handled for model_type '{architecture}' and might change what the model computes; "
                    + "remove it from the file if you are sure that it does not");
            }
        }
    }

    /// <summary>Converts an element of a nested object.</summary>
    public double ToNumber(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Fault(field, $"is {value.GetRawText()}; a number is wanted");

    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Number => value.TryGetDouble(out double number) && number == 0,
        JsonValueKind.String => value.GetString()!.Length == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };
}
