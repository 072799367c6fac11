using System.Buffers;
using System.Text;
using System.Text.Json;
using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>A part of a stretch: an added token, or (Id null) text that is still to be worked on.</summary>
internal readonly record struct Segment(int? Id, int Start, int End);

/// <summary>
/// The tokens added beside the model's vocabulary. They are cut out of the text before the model sees it: first those that
/// match the text as it was written, then, in what lies between, those that match the normalized text.
/// </summary>
internal sealed class AddedTokens
{
    // Each place in a text is compared with the tokens that could begin there, so their length bounds the time that takes.
    private const int ContentLengthMax = 4096;

    private readonly Dictionary<int, Token> _byId = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _shown = [];
    private readonly HashSet<string> _special = new(StringComparer.Ordinal);
    private readonly Matcher _raw;
    private readonly Matcher _normalized;

    /// <summary>Takes the tokens of a file in their order.</summary>
    /// <remarks>
    /// A token that the model knows keeps the model's id; any other gets the next free one, as the format's library has it,
    /// whatever id the file states.
    /// </remarks>
    public AddedTokens(IEnumerable<Token> tokens, TokenModel model, Normalizer? normalizer)
    {
        int next = model.VocabularyCount;
        foreach (Token token in tokens)
        {
            if (token.Content.Length == 0 || (_ids.TryGetValue(token.Content, out int known) && _byId[known] == token))
            {
                continue;
            }

            int id = _ids.TryGetValue(token.Content, out int own) ? own : model.TokenToId(token.Content) ?? next++;
            if (token.Normalized && normalizer is not null)
            {
                AlignedText text = AlignedText.Of(token.Content, 0, token.Content.Length, tracked: false);
                normalizer.Apply(text);
                if (!text.Span.SequenceEqual(token.Content))
                {
                    _shown[id] = text.Span.ToString();
                }
            }

            _ids[token.Content] = id;
            _byId[id] = token;
            if (token.Special)
            {
                _special.Add(token.Content);
            }
        }

        _raw = new Matcher(_byId.Where(t => !t.Value.Normalized).Select(t => (t.Value.Content, t.Key)));
        _normalized = new Matcher(_byId.Where(t => t.Value.Normalized).Select(t => (_shown.GetValueOrDefault(t.Key, t.Value.Content), t.Key)));
    }

    /// <summary>The highest id, plus one; 0 if there are no tokens.</summary>
    public int IdCount => _byId.Count == 0 ? 0 : _byId.Keys.Max() + 1;

    /// <summary>Whether any token matches the normalized text.</summary>
    public bool AnyNormalized => !_normalized.IsEmpty;

    /// <summary>Reads the array <c>added_tokens</c>.</summary>
    public static IEnumerable<Token> Read(Fields file)
    {
        if (file.Find("added_tokens") is null)
        {
            yield break;
        }

        foreach ((JsonElement value, string path) in file.Items("added_tokens"))
        {
            Fields fields = new(value, path);
            _ = fields.Number("id");
            string content = fields.Text("content");
            if (content.Length > ContentLengthMax)
            {
                throw new InvalidDataException($"{path}.content has {content.Length} characters; an added token has at most {ContentLengthMax}.");
            }

            yield return new Token(
                content,
                fields.Flag("single_word"),
                fields.Flag("lstrip"),
                fields.Flag("rstrip"),
                fields.Flag("normalized"),
                fields.Flag("special"));
        }
    }

    /// <summary>The id of a token by its content as the file states it.</summary>
    public int? IdOf(string content) => _ids.TryGetValue(content, out int id) ? id : null;

    /// <summary>The text of an added token as decoding shows it: normalized if it matches normalized text.</summary>
    public string? TextOf(int id) => _shown.TryGetValue(id, out string? shown) ? shown : _byId.GetValueOrDefault(id)?.Content;

    /// <summary>Whether decoding leaves a token of this text out when it leaves out special ones.</summary>
    public bool IsSpecial(string text) => _special.Contains(text);

    /// <summary>Cuts out the tokens that match a text as it was written.</summary>
    public void CutRaw(ReadOnlySpan<char> text, List<Segment> into) => Cut(text, _raw, into);

    /// <summary>Cuts out the tokens that match a normalized text.</summary>
    public void CutNormalized(ReadOnlySpan<char> text, List<Segment> into) => Cut(text, _normalized, into);

    private void Cut(ReadOnlySpan<char> text, Matcher matcher, List<Segment> into)
    {
        int done = 0;
        int from = 0;
        while (matcher.Find(text, from, out int start, out int end, out int id))
        {
            from = end;
            Token token = _byId[id];
            if (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..])))
            {
                continue;
            }

            int left = start;
            while (token.LeftStrip && left > 0 && UnicodeProperties.Space.Contains(text[left - 1]))
            {
                left--;
            }

            int right = end;
            while (token.RightStrip && right < text.Length && UnicodeProperties.Space.Contains(text[right]))
            {
                right++;
            }

            // White space that the token before has already taken stays with it.
            left = Math.Max(left, done);
            if (left > done)
            {
                into.Add(new Segment(null, done, left));
            }

            done = Math.Max(right, left);
            into.Add(new Segment(id, left, done));
        }

        if (done < text.Length)
        {
            into.Add(new Segment(null, done, text.Length));
        }
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune.Value);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune.Value);

    private static bool IsWord(int c) => c is 0x200C or 0x200D || UnicodeProperties.Word.Contains(c);

    /// <summary>An added token as its file states it.</summary>
    internal sealed record Token(string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized, bool Special);

    /// <summary>Finds the leftmost of many texts, and of those that begin there the longest.</summary>
    private sealed class Matcher
    {
        private readonly PieceTrie _trie = new();
        private readonly SearchValues<char> _first;

        public Matcher(IEnumerable<(string Text, int Id)> tokens)
        {
            HashSet<char> first = [];
            foreach ((string text, int id) in tokens.Where(t => t.Text.Length > 0).OrderByDescending(t => t.Id))
            {
                // Of tokens that normalization makes equal the one with the lowest id is found.
                _trie.Add(text, id);
                first.Add(text[0]);
            }

            IsEmpty = first.Count == 0;
            _first = SearchValues.Create([.. first]);
        }

        public bool IsEmpty { get; }

        public bool Find(ReadOnlySpan<char> text, int from, out int start, out int end, out int id)
        {
            for (start = from; start < text.Length; start++)
            {
                int skipped = IsEmpty ? -1 : text[start..].IndexOfAny(_first);
                if (skipped < 0)
                {
                    break;
                }

                start += skipped;
                id = -1;
                end = start;
                int node = PieceTrie.Root;
                for (int at = start; at < text.Length && (node = _trie.Next(node, text[at])) >= 0; at++)
                {
                    if (_trie.PieceAt(node) >= 0)
                    {
                        (id, end) = (_trie.PieceAt(node), at + 1);
                    }
                }

                if (id >= 0)
                {
                    return true;
                }
            }

            (start, end, id) = (-1, -1, -1);
            return false;
        }
    }
}
