using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Engine.Data;

namespace Anneal.Engine.Text;

/// <summary>
/// The text side of a model folder in Hugging Face's layout: tokenizer, chat templates and special tokens.
/// </summary>
public sealed class ModelText
{
    private static readonly string[] TokenNames =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly string _folder;
    private readonly Dictionary<string, ChatTemplate> _templates;

    private ModelText(string folder, Tokenizer tokenizer, Dictionary<string, ChatTemplate> templates, SpecialTokens tokens)
    {
        _folder = folder;
        _templates = templates;
        Tokenizer = tokenizer;
        SpecialTokens = tokens;
    }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Special tokens and the ids at which generation ends.</summary>
    public SpecialTokens SpecialTokens { get; }

    /// <summary>Every id at which generation ends.</summary>
    public IReadOnlyList<int> StopIds => SpecialTokens.StopIds;

    /// <summary>Whether the folder has a chat template.</summary>
    public bool HasTemplate => _templates.Count > 0;

    /// <summary>The chat template for conversations without tools.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public ChatTemplate Template => TemplateFor(withTools: false);

    /// <summary>Reads a model folder.</summary>
    /// <exception cref="InvalidDataException">A file is missing or wrong; the message names it and says what would be right.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ModelText Load(string modelFolder)
    {
        string path = Path.Combine(modelFolder, "tokenizer.json");
        if (!File.Exists(path))
        {
            string hint = File.Exists(Path.Combine(modelFolder, "tokenizer.model")) || File.Exists(Path.Combine(modelFolder, "vocab.json"))
                ? " It has an older kind of tokenizer; saving it once with transformers (AutoTokenizer … save_pretrained) writes tokenizer.json."
                : "";
            throw new InvalidDataException($"Missing tokenizer: {modelFolder} has no tokenizer.json.{hint}");
        }

        Tokenizer tokenizer = Tokenizer.Load(path);
        JsonObject config = ReadJson(modelFolder, "tokenizer_config.json") ?? [];
        Dictionary<string, ChatTemplate> templates = ReadTemplates(modelFolder, config);
        SpecialTokens tokens = ReadTokens(modelFolder, config, tokenizer);
        if (Find(templates, withTools: false) is ChatTemplate template && TurnSpans.EndOfTurn(template, tokenizer, tokens) is int id
            && !tokens.StopIds.Contains(id))
        {
            // A base model tuned to chat often names only the end of text; the end of its template's turns stops it too.
            tokens = tokens with { StopIds = [.. tokens.StopIds, id] };
        }

        return new ModelText(modelFolder, tokenizer, templates, tokens);
    }

    /// <summary>The chat template for conversations with or without tools: some models have one of each.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public ChatTemplate TemplateFor(bool withTools) => Find(_templates, withTools) ?? throw new InvalidDataException(
        _templates.Count > 0
            ? $"{_folder} has chat templates named {string.Join(", ", _templates.Keys.Order(StringComparer.Ordinal))} but none named default."
            : $"No chat template: {_folder} has neither chat_template.jinja nor a chat_template in tokenizer_config.json. "
                + "Add the chat_template.jinja of the instruction-tuned model of the same family.");

    private static ChatTemplate? Find(Dictionary<string, ChatTemplate> templates, bool withTools) =>
        withTools && templates.TryGetValue("tool_use", out ChatTemplate? forTools) ? forTools
        : templates.TryGetValue("default", out ChatTemplate? template) ? template : null;

    // A file of its own wins over the tokenizer's configuration, and that over the file that processors once had.
    private static Dictionary<string, ChatTemplate> ReadTemplates(string folder, JsonObject config)
    {
        Dictionary<string, (string File, string Source)> sources = new(StringComparer.Ordinal);
        AddTemplates(sources, "chat_template.json", ReadJson(folder, "chat_template.json")?["chat_template"]);
        AddTemplates(sources, "tokenizer_config.json", config["chat_template"]);
        string main = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(main))
        {
            sources["default"] = ("chat_template.jinja", ReadText(main));
        }

        string more = Path.Combine(folder, "additional_chat_templates");
        foreach (string file in Directory.Exists(more) ? Directory.GetFiles(more, "*.jinja") : [])
        {
            sources[Path.GetFileNameWithoutExtension(file)] = ($"additional_chat_templates/{Path.GetFileName(file)}", ReadText(file));
        }

        return sources.ToDictionary(s => s.Key, s => ParseTemplate(folder, s.Value.File, s.Value.Source), StringComparer.Ordinal);
    }

    private static void AddTemplates(Dictionary<string, (string, string)> sources, string file, JsonNode? value)
    {
        switch (value)
        {
            case null:
                return;
            case JsonArray named:
                foreach (JsonNode? entry in named)
                {
                    string name = Text(entry?["name"]) ?? throw new InvalidDataException($"{file}: an entry of chat_template has no name.");
                    sources[name] = (file, Text(entry?["template"])
                        ?? throw new InvalidDataException($"{file}: the chat_template named {name} has no template."));
                }

                return;
            default:
                sources["default"] = (file, Text(value)
                    ?? throw new InvalidDataException($"{file}: chat_template must be a string or a list of named templates."));
                return;
        }
    }

    private static ChatTemplate ParseTemplate(string folder, string file, string source)
    {
        try
        {
            return ChatTemplate.Parse(source);
        }
        catch (TemplateSyntaxException e)
        {
            throw new InvalidDataException($"{Path.Combine(folder, file)}: the chat template is not valid: {e.Message}", e);
        }
    }

    private static SpecialTokens ReadTokens(string folder, JsonObject config, Tokenizer tokenizer)
    {
        JsonObject map = ReadJson(folder, "special_tokens_map.json") ?? [];
        Dictionary<string, JsonNode?> variables = new(StringComparer.Ordinal);
        foreach (string name in TokenNames)
        {
            if ((Content(config[name]) ?? Content(map[name])) is string token)
            {
                variables[name] = JsonValue.Create(token);
            }
        }

        foreach ((string name, JsonNode? value) in config["extra_special_tokens"] as JsonObject ?? [])
        {
            if (Content(value) is string token)
            {
                variables[name] = JsonValue.Create(token);
            }
        }

        string? bos = Text(variables.GetValueOrDefault("bos_token"));
        string? eos = Text(variables.GetValueOrDefault("eos_token"));
        string? pad = Text(variables.GetValueOrDefault("pad_token"));
        int? eosId = Id(eos);
        JsonObject model = ReadJson(folder, "config.json") ?? [];
        IEnumerable<int> stops =
        [
            .. Ids("generation_config.json", ReadJson(folder, "generation_config.json")?["eos_token_id"]),
            .. Ids("config.json", model["eos_token_id"] ?? (model["text_config"] as JsonObject)?["eos_token_id"]),
            .. eosId is int id ? [id] : Array.Empty<int>(),
        ];
        return new SpecialTokens(bos, eos, pad, Id(bos), eosId, Id(pad), [.. stops.Distinct()], variables);

        int? Id(string? token) => token is null ? null : tokenizer.TokenToId(token);
    }

    // A token is written as a string or as an object with its content.
    private static string? Content(JsonNode? value) => value is JsonObject token ? Text(token["content"]) : Text(value);

    private static string? Text(JsonNode? value) =>
        value is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String ? scalar.GetValue<string>() : null;

    private static IEnumerable<int> Ids(string file, JsonNode? value)
    {
        IEnumerable<JsonNode?> ids = value as JsonArray ?? (value is null ? Enumerable.Empty<JsonNode?>() : Enumerable.Repeat<JsonNode?>(value, 1));
        foreach (JsonNode? id in ids)
        {
            yield return id is JsonValue scalar && scalar.TryGetValue(out int n) && n >= 0
                ? n
                : throw new InvalidDataException($"{file}: eos_token_id must be an id or a list of ids, not {id?.ToJsonString() ?? "null"}.");
        }
    }

    private static JsonObject? ReadJson(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw new InvalidDataException($"{path}: must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: is not JSON: {e.Message}", e);
        }
    }

    // Bytes, not lines: every line end of a template counts.
    private static string ReadText(string path) => System.Text.Encoding.UTF8.GetString(File.ReadAllBytes(path));
}
