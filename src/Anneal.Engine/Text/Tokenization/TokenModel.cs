using System.Text.Json;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>The tokens of one text as they are found: ids, and the units of the word they came from.</summary>
internal sealed class TokenBuffer
{
    private int[] _items = new int[3 * 64];

    /// <summary>How many tokens there are.</summary>
    public int Count { get; private set; }

    /// <summary>The token at an index: its id, and the units from Start to before End that it covers.</summary>
    public (int Id, int Start, int End) this[int index] => (_items[3 * index], _items[(3 * index) + 1], _items[(3 * index) + 2]);

    /// <summary>Adds a token.</summary>
    public void Add(int id, int start, int end)
    {
        int at = 3 * Count++;
        if (at + 3 > _items.Length)
        {
            Array.Resize(ref _items, _items.Length * 2);
        }

        _items[at] = id;
        _items[at + 1] = start;
        _items[at + 2] = end;
    }

    /// <summary>Moves the spans of the tokens from an index on.</summary>
    public void Place(int index, int start, int end)
    {
        _items[(3 * index) + 1] = start;
        _items[(3 * index) + 2] = end;
    }

    /// <summary>Adds tokens in the form in which they are stored: three numbers each.</summary>
    public void AddStored(ReadOnlySpan<int> stored)
    {
        int at = 3 * Count;
        while (at + stored.Length > _items.Length)
        {
            Array.Resize(ref _items, _items.Length * 2);
        }

        stored.CopyTo(_items.AsSpan(at));
        Count += stored.Length / 3;
    }

    /// <summary>The tokens from an index on, three numbers each.</summary>
    public int[] Stored(int from) => _items[(3 * from)..(3 * Count)];

    /// <summary>All ids.</summary>
    public int[] Ids()
    {
        int[] ids = new int[Count];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = _items[3 * i];
        }

        return ids;
    }

    /// <summary>Removes all tokens.</summary>
    public void Clear() => Count = 0;
}

/// <summary>Turns a word, as the pre-tokenizer left it, into tokens of a vocabulary. Safe for use by many threads at once.</summary>
internal abstract class TokenModel
{
    /// <summary>The highest id, plus one.</summary>
    public abstract int IdCount { get; }

    /// <summary>The number of different tokens, which is where the ids of new added tokens begin.</summary>
    public abstract int VocabularyCount { get; }

    /// <summary>Adds the tokens of a word that is not empty.</summary>
    /// <exception cref="InvalidDataException">The word has a character without a token, and the file names no unknown token.</exception>
    public abstract void Tokenize(ReadOnlySpan<char> word, TokenBuffer into);

    /// <summary>The id of a token.</summary>
    public abstract int? TokenToId(string token);

    /// <summary>The token of an id.</summary>
    public abstract string? IdToToken(int id);

    /// <summary>Reads the section <c>model</c>.</summary>
    public static TokenModel Read(Fields model)
    {
        // Old files (GPT-2's) leave out the type; what is there then tells.
        string type = model.OptionalText("type")
            ?? (model.Find("merges") is not null ? "BPE"
                : model.Find("unk_id") is not null || model.Find("vocab") is { ValueKind: JsonValueKind.Array } ? "Unigram"
                : model.Find("continuing_subword_prefix") is not null ? "WordPiece"
                : "WordLevel");
        return type switch
        {
            "BPE" => BpeModel.Read(model),
            "Unigram" => UnigramModel.Read(model),
            "WordPiece" => WordPieceModel.Read(model),
            "WordLevel" => WordLevelModel.Read(model),
            _ => throw new InvalidDataException($"{model.Path}.type \"{type}\" is not supported: BPE, Unigram, WordPiece and WordLevel are."),
        };
    }

    /// <summary>Reads a vocabulary that is an object of ids by token.</summary>
    protected static Dictionary<string, int> ReadVocabulary(Fields model)
    {
        string path = $"{model.Path}.vocab";
        Fields vocabulary = model.Object("vocab");
        _ = vocabulary;
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        foreach (JsonProperty property in model.Get("vocab").EnumerateObject())
        {
            ids[NameOf(property, path)] = Fields.NumberOf(property.Value, path);
        }

        return ids;
    }

    /// <summary>Tokens by id; ids are dense, or at least below a bound that keeps the table small.</summary>
    protected static string?[] Reverse(Dictionary<string, int> ids, string path)
    {
        const int SparsenessMax = 16;
        const int AlwaysAllowed = 1 << 20;
        int highest = ids.Count == 0 ? -1 : ids.Values.Max();
        if (highest >= AlwaysAllowed && highest / SparsenessMax > ids.Count)
        {
            throw new InvalidDataException($"{path} has the id {highest}, but only {ids.Count} tokens.");
        }

        string?[] tokens = new string?[highest + 1];
        foreach ((string token, int id) in ids)
        {
            tokens[id] = token;
        }

        return tokens;
    }

    /// <summary>The ids of the tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>; null for those the vocabulary lacks.</summary>
    protected static int?[] ByteTokens(Dictionary<string, int> ids) =>
        [.. Enumerable.Range(0, 256).Select(b => ids.TryGetValue($"<0x{b:X2}>", out int id) ? id : (int?)null)];

    private static string NameOf(JsonProperty property, string path)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"{path} has a token with a lone surrogate.", e);
        }
    }
}
