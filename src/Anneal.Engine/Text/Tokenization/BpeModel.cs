using System.Text;
using System.Text.Json;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// Byte pair encoding (Sennrich et al. 2016): a word starts as single characters, and of all neighbours that form a merge the
/// one with the lowest rank is joined first, the leftmost of equals, until none is left.
/// </summary>
internal sealed class BpeModel : TokenModel
{
    // A character below this is looked up in a table: the byte alphabet, Latin, and the ▁ of SentencePiece.
    private const int TableSize = 0x3000;
    private const int CacheSize = 1 << 14;
    private const int CachedLengthMax = 64;

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsBySpan;
    private readonly string?[] _tokens;
    private readonly Dictionary<long, (int Rank, int Id)> _merges;
    private readonly int[] _single;
    private readonly int?[] _bytes;
    private readonly string? _prefix;
    private readonly string? _suffix;
    private readonly int? _unknown;
    private readonly bool _fuseUnknown;
    private readonly bool _byteFallback;
    private readonly bool _ignoreMerges;

    // Words repeat, so their tokens are kept. Entries are immutable and written whole: a race costs a miss, never a mistake.
    private readonly CachedWord?[] _cache = new CachedWord?[CacheSize];

    private BpeModel(Fields model)
    {
        _ids = ReadVocabulary(model);
        _idsBySpan = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _tokens = Reverse(_ids, $"{model.Path}.vocab");
        _prefix = NullIfEmpty(model.OptionalText("continuing_subword_prefix"));
        _suffix = NullIfEmpty(model.OptionalText("end_of_word_suffix"));
        _fuseUnknown = model.Flag("fuse_unk", absent: false);
        _byteFallback = model.Flag("byte_fallback", absent: false);
        _ignoreMerges = model.Flag("ignore_merges", absent: false);
        if (model.Find("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
        {
            throw new InvalidDataException($"{model.Path}.dropout {dropout.GetRawText()} is not supported: tokens must not depend on chance.");
        }

        if (model.OptionalText("unk_token") is { } unknown)
        {
            // An unknown token that is not in the vocabulary is a fault only when it is needed.
            _unknown = TokenToId(unknown) ?? -1;
        }

        _bytes = ByteTokens(_ids);
        _merges = ReadMerges(model);
        _single = new int[TableSize];
        for (int c = 0; c < TableSize; c++)
        {
            _single[c] = _ids.TryGetValue(((char)c).ToString(), out int id) ? id : -1;
        }
    }

    /// <inheritdoc/>
    public override int IdCount => _tokens.Length;

    /// <inheritdoc/>
    public override int VocabularyCount => _ids.Count;

    /// <summary>Reads the section <c>model</c> of type BPE.</summary>
    public static new BpeModel Read(Fields model) => new(model);

    /// <inheritdoc/>
    public override int? TokenToId(string token) => _ids.TryGetValue(token, out int id) ? id : null;

    /// <inheritdoc/>
    public override string? IdToToken(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> word, TokenBuffer into)
    {
        if (word.Length > CachedLengthMax)
        {
            TokenizeAnew(word, into);
            return;
        }

        int hash = string.GetHashCode(word);
        ref CachedWord? slot = ref _cache[hash & (CacheSize - 1)];
        CachedWord? cached = Volatile.Read(ref slot);
        if (cached is not null && cached.Hash == hash && word.SequenceEqual(cached.Word))
        {
            into.AddStored(cached.Tokens);
            return;
        }

        int from = into.Count;
        TokenizeAnew(word, into);
        Volatile.Write(ref slot, new CachedWord(hash, word.ToString(), into.Stored(from)));
    }

    private static string? NullIfEmpty(string? text) => text is { Length: > 0 } ? text : null;

    private Dictionary<long, (int Rank, int Id)> ReadMerges(Fields model)
    {
        string path = $"{model.Path}.merges";
        JsonElement list = model.Get("merges");
        Dictionary<long, (int Rank, int Id)> merges = new(list.ValueKind == JsonValueKind.Array ? list.GetArrayLength() : 0);
        int rank = 0;
        foreach ((JsonElement element, string place) in Fields.ItemsOf(list, path))
        {
            if (SplitMerge(element, place) is not var (left, right))
            {
                continue;
            }

            // A piece that only ever follows another carries the prefix; the joined piece has the left one's.
            string joined = left + (_prefix is not null && right.StartsWith(_prefix, StringComparison.Ordinal) ? right[_prefix.Length..] : right);
            long key = Key(IdOf(left, place), IdOf(right, place));
            merges[key] = (rank++, IdOf(joined, place));
        }

        return merges;
    }

    private static (string Left, string Right)? SplitMerge(JsonElement element, string place)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            return element.GetArrayLength() == 2
                ? (Fields.TextOf(element[0], place), Fields.TextOf(element[1], place))
                : throw new InvalidDataException($"{place} must be two tokens, not {element.GetArrayLength()}.");
        }

        string text = Fields.TextOf(element, place);
        if (text.StartsWith("#version", StringComparison.Ordinal))
        {
            return null;
        }

        string[] parts = text.Split(' ');
        return parts.Length == 2
            ? (parts[0], parts[1])
            : throw new InvalidDataException($"{place} must be two tokens with a space between, not \"{text}\".");
    }

    private int IdOf(string token, string place) =>
        _ids.TryGetValue(token, out int id) ? id : throw new InvalidDataException($"{place} needs the token \"{token}\", which the vocabulary lacks.");

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private void TokenizeAnew(ReadOnlySpan<char> word, TokenBuffer into)
    {
        if (_ignoreMerges && _idsBySpan.TryGetValue(word, out int whole))
        {
            into.Add(whole, 0, word.Length);
            return;
        }

        BpeWord symbols = BpeWord.Rent();
        Start(word, symbols);
        symbols.Merge(_merges);
        symbols.AddTo(into);
    }

    /// <summary>Splits a word into its first symbols: characters, the bytes of unknown ones, or the unknown token.</summary>
    private void Start(ReadOnlySpan<char> word, BpeWord symbols)
    {
        (int Start, int End)? unknown = null;
        for (int at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word[at..], out Rune rune, out int width);
            int end = at + width;
            int id = Lookup(word, at, end, rune.Value);
            if (id >= 0)
            {
                Flush(symbols, ref unknown);
                symbols.Add(id, at, end);
            }
            else if (!_byteFallback || !AddBytes(word, at, end, symbols))
            {
                // Bytes do not end a run of unknown characters: the run's token then comes after them, as the format's library has it.
                AddUnknown(symbols, ref unknown, at, end);
            }

            at = end;
        }

        Flush(symbols, ref unknown);
    }

    private int Lookup(ReadOnlySpan<char> word, int at, int end, int codePoint)
    {
        bool prefixed = at > 0 && _prefix is not null;
        bool suffixed = end == word.Length && _suffix is not null;
        if (!prefixed && !suffixed)
        {
            return codePoint < TableSize ? _single[codePoint] : _idsBySpan.TryGetValue(word[at..end], out int direct) ? direct : -1;
        }

        return _ids.TryGetValue(Dressed(word, at, end), out int id) ? id : -1;
    }

    private string Dressed(ReadOnlySpan<char> word, int at, int end) =>
        $"{(at > 0 ? _prefix : null)}{word[at..end]}{(end == word.Length ? _suffix : null)}";

    private bool AddBytes(ReadOnlySpan<char> word, int at, int end, BpeWord symbols)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(Dressed(word, at, end));
        if (bytes.Any(b => _bytes[b] is null))
        {
            return false;
        }

        foreach (byte b in bytes)
        {
            symbols.Add(_bytes[b]!.Value, at, end);
        }

        return true;
    }

    private void AddUnknown(BpeWord symbols, ref (int Start, int End)? unknown, int at, int end)
    {
        if (_unknown is null)
        {
            // Without an unknown token the character is left out, as the format's library has it.
            return;
        }

        if (unknown is { } run && _fuseUnknown)
        {
            unknown = (run.Start, end);
            return;
        }

        Flush(symbols, ref unknown);
        unknown = (at, end);
    }

    private void Flush(BpeWord symbols, ref (int Start, int End)? unknown)
    {
        if (unknown is { } run)
        {
            symbols.Add(_unknown is >= 0 and int id ? id : throw new InvalidDataException("The unk_token is not in the vocabulary."), run.Start, run.End);
            unknown = null;
        }
    }

    private sealed record CachedWord(int Hash, string Word, int[] Tokens);
}
