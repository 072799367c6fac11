using System.Text.Json;
using System.Text.Json.Nodes;

namespace Anneal.Nano.Training;

/// <summary>Trains the tokenizer on the corpus and writes it in Hugging Face's layout.</summary>
internal static class TokenizerFiles
{
    /// <summary>Parts documents, pads batches.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>Begins a message; the role and a line end follow.</summary>
    public const string TurnStart = "<|im_start|>";

    /// <summary>Ends a message; the model's end of sequence.</summary>
    public const string TurnEnd = "<|im_end|>";

    /// <summary>The special tokens; their ids are their positions.</summary>
    public static readonly string[] Special = [EndOfText, TurnStart, TurnEnd];

    private const string Template =
        """
        {%- for message in messages %}
        {{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
        {{- '<|im_start|>assistant\n' }}
        {%- endif %}
        """;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes tokenizer.json, tokenizer_config.json and chat_template.jinja.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="merges">What <see cref="BpeTrainer.Train"/> gave.</param>
    /// <param name="contextLength">Most tokens the model takes.</param>
    public static void Write(string folder, IReadOnlyList<(int Left, int Right)> merges, int contextLength)
    {
        Directory.CreateDirectory(folder);
        Save(folder, "tokenizer.json", Tokenizer(merges));
        Save(folder, "tokenizer_config.json", new JsonObject
        {
            ["added_tokens_decoder"] = new JsonObject(Special.Select((token, id) =>
                KeyValuePair.Create<string, JsonNode?>($"{id}", Added(token)))),
            ["bos_token"] = null,
            ["clean_up_tokenization_spaces"] = false,
            ["eos_token"] = TurnEnd,
            ["model_max_length"] = contextLength,
            ["pad_token"] = EndOfText,
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["unk_token"] = null,
        });
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), Template.ReplaceLineEndings("\n") + "\n");
    }

    /// <summary>Writes JSON with line ends that are the same everywhere.</summary>
    public static void Save(string folder, string name, JsonNode content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(Indented) + "\n");

    private static JsonObject Tokenizer(IReadOnlyList<(int Left, int Right)> merges)
    {
        string[] symbols = new string[256 + merges.Count];
        for (int b = 0; b < 256; b++)
        {
            symbols[b] = Symbol(b).ToString();
        }
        JsonObject vocabulary = [];
        JsonArray rules = [];
        for (int i = 0; i < merges.Count; i++)
        {
            (int left, int right) = merges[i];
            symbols[256 + i] = symbols[left] + symbols[right];
            rules.Add((JsonNode)$"{symbols[left]} {symbols[right]}");
        }
        for (int i = 0; i < Special.Length; i++)
        {
            vocabulary[Special[i]] = i;
        }
        for (int i = 0; i < symbols.Length; i++)
        {
            vocabulary[symbols[i]] = Special.Length + i;
        }
        JsonArray added = [];
        for (int i = 0; i < Special.Length; i++)
        {
            JsonObject token = Added(Special[i]);
            token.Insert(0, "id", i);
            added.Add((JsonNode)token);
        }
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject
                    {
                        ["type"] = "Split",
                        ["pattern"] = new JsonObject { ["Regex"] = BpeTrainer.Pattern },
                        ["behavior"] = "Isolated",
                        ["invert"] = false,
                    },
                    ByteLevel(useRegex: false)),
            },
            ["post_processor"] = null,
            ["decoder"] = ByteLevel(useRegex: true),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = rules,
            },
        };
    }

    private static JsonObject Added(string token) => new()
    {
        ["content"] = token,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };

    private static JsonObject ByteLevel(bool useRegex) => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = true,
        ["use_regex"] = useRegex,
    };

    /// <summary>The printable character that stands for a byte: GPT-2's map.</summary>
    private static char Symbol(int value)
    {
        bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
        if (printable)
        {
            return (char)value;
        }
        int rank = value <= 0x20 ? value : value <= 0xA0 ? 0x21 + (value - 0x7F) : 0x43;
        return (char)(0x100 + rank);
    }
}
