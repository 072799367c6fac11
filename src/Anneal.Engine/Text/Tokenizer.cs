using System.Text.Json;
using Anneal.Engine.Text.Tokenization;

namespace Anneal.Engine.Text;

/// <summary>
/// A tokenizer as Hugging Face's <c>tokenizer.json</c> describes it, with the results of that format's own library
/// (<c>tokenizers</c>), whatever part of the file produces them. Immutable, and safe for use by many threads at once.
/// </summary>
/// <remarks>
/// The sections <c>truncation</c> and <c>padding</c> are the wishes of whoever saved the file for one use of it, and are not applied.
/// </remarks>
public sealed class Tokenizer
{
    private readonly Normalizer? _normalizer;
    private readonly PreTokenizer? _preTokenizer;
    private readonly TokenModel _model;
    private readonly PostProcessor? _postProcessor;
    private readonly DecoderPlan _decoder;
    private readonly AddedTokens _added;

    private Tokenizer(Fields file)
    {
        if (file.OptionalText("version") is { } version && version != "1.0")
        {
            throw new InvalidDataException($"version \"{version}\" is not supported: 1.0 is.");
        }

        _normalizer = file.Find("normalizer") is null ? null : Normalizer.Read(Section(file, "normalizer"));
        _preTokenizer = file.Find("pre_tokenizer") is null ? null : PreTokenizer.Read(Section(file, "pre_tokenizer"));
        _model = TokenModel.Read(Section(file, "model"));
        _postProcessor = file.Find("post_processor") is null ? null : PostProcessor.Read(Section(file, "post_processor"));
        _decoder = file.Find("decoder") is null ? DecoderPlan.Spaced : DecoderPlan.Read(Section(file, "decoder"));
        _added = new AddedTokens(AddedTokens.Read(file), _model, _normalizer);
    }

    /// <summary>The highest id, added tokens included, plus one.</summary>
    public int VocabularySize => Math.Max(_model.IdCount, _added.IdCount);

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is not what it should be, or uses a component that is not supported; the message names the file and the field.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Tokenizer Load(string tokenizerJsonPath)
    {
        const long FileBytesMax = 256L << 20;
        long size = new FileInfo(tokenizerJsonPath) is { Exists: true } file
            ? file.Length
            : throw new FileNotFoundException($"There is no tokenizer at {tokenizerJsonPath}.", tokenizerJsonPath);
        if (size > FileBytesMax)
        {
            throw new InvalidDataException($"{tokenizerJsonPath} has {size} bytes; a tokenizer has at most {FileBytesMax}.");
        }

        try
        {
            byte[] bytes = File.ReadAllBytes(tokenizerJsonPath);
            if (!System.Text.Unicode.Utf8.IsValid(bytes))
            {
                throw new InvalidDataException("the file is not UTF-8.");
            }

            using JsonDocument document = JsonDocument.Parse(bytes);
            return new Tokenizer(new Fields(document.RootElement, "the file"));
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException)
        {
            // The JSON reader's InvalidOperationException: a name or a string with a lone surrogate.
            throw new InvalidDataException($"{tokenizerJsonPath}: {e.Message}", e);
        }
    }

    /// <summary>Turns a text into ids. Special tokens in the text are always recognised.</summary>
    /// <param name="text">Any text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the post-processor adds its tokens, such as one that begins a sequence.</param>
    /// <exception cref="InvalidDataException">A character has no token and the model has no unknown token either.</exception>
    public int[] Encode(string text, bool addSpecialTokens = false) => Run(text, addSpecialTokens, withOffsets: false).Ids();

    /// <summary>As <see cref="Encode"/>, with the part of the text that each token stands for.</summary>
    public Encoding EncodeWithOffsets(string text, bool addSpecialTokens = false)
    {
        TokenBuffer tokens = Run(text, addSpecialTokens, withOffsets: true);
        int[] starts = new int[tokens.Count];
        int[] ends = new int[tokens.Count];
        for (int i = 0; i < starts.Length; i++)
        {
            (_, starts[i], ends[i]) = tokens[i];
        }

        return new Encoding(tokens.Ids(), starts, ends);
    }

    /// <summary>Turns ids into text. Ids that stand for nothing are left out.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Whether tokens flagged as special are left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        StreamingDecoder decoder = new(this, _decoder.Begin(eager: false), skipSpecialTokens);
        System.Text.StringBuilder text = new();
        foreach (int id in ids)
        {
            text.Append(decoder.Push(id));
        }

        return text.Append(decoder.Flush()).ToString();
    }

    /// <summary>A decoder for ids that come one by one.</summary>
    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens = true) => new(this, _decoder.Begin(eager: true), skipSpecialTokens);

    /// <summary>The id of a token, by its name in the vocabulary or the content of an added token; null if there is none.</summary>
    public int? TokenToId(string token) => _added.IdOf(token) ?? _model.TokenToId(token);

    /// <summary>The token of an id; null if the id stands for nothing.</summary>
    public string? IdToToken(int id) => _added.TextOf(id) ?? _model.IdToToken(id);

    /// <summary>Whether an id is of a token flagged as special, which decoding can leave out.</summary>
    public bool IsSpecial(int id) => IdToToken(id) is { } token && _added.IsSpecial(token);

    /// <summary>The token of an id as decoding wants it; null if it is left out.</summary>
    internal string? TextForDecoding(int id, bool skipSpecialTokens) =>
        IdToToken(id) is { } token && !(skipSpecialTokens && _added.IsSpecial(token)) ? token : null;

    private static Fields Section(Fields file, string name) => new(file.Get(name), name);

    private TokenBuffer Run(string text, bool addSpecialTokens, bool withOffsets)
    {
        text = WithoutLoneSurrogates(text);
        TokenBuffer tokens = new();
        List<Segment> segments = [];
        _added.CutRaw(text, segments);
        bool tracked = withOffsets || _preTokenizer is { NeedsAlignment: true };
        foreach (Segment segment in segments)
        {
            if (segment.Id is { } id)
            {
                tokens.Add(id, segment.Start, segment.End);
                continue;
            }

            EncodeStretch(AlignedText.Of(text, segment.Start, segment.End, tracked), tokens, withOffsets);
        }

        return _postProcessor?.Apply(tokens, addSpecialTokens) ?? tokens;
    }

    /// <summary>Encodes what lies between added tokens that match the text as written.</summary>
    private void EncodeStretch(AlignedText text, TokenBuffer tokens, bool withOffsets)
    {
        _normalizer?.Apply(text);
        if (!_added.AnyNormalized)
        {
            EncodeWords(text, tokens, withOffsets);
            return;
        }

        List<Segment> segments = [];
        _added.CutNormalized(text.Span, segments);
        foreach (Segment segment in segments)
        {
            if (segment.Id is { } id)
            {
                (int start, int end) = withOffsets ? text.OriginalSpan(segment.Start, segment.End) : default;
                tokens.Add(id, start, end);
                continue;
            }

            EncodeWords(text.Slice(segment.Start, segment.End), tokens, withOffsets);
        }
    }

    private void EncodeWords(AlignedText text, TokenBuffer tokens, bool withOffsets)
    {
        PreTokenized pieces = new(text);
        _preTokenizer?.Apply(pieces);
        ReadOnlySpan<char> span = pieces.Text.Span;
        foreach ((int start, int end) in pieces.Pieces)
        {
            int from = tokens.Count;
            _model.Tokenize(span[start..end], tokens);
            for (int i = from; withOffsets && i < tokens.Count; i++)
            {
                (int first, int last) = pieces.Text.OriginalSpan(start + tokens[i].Start, start + tokens[i].End);
                tokens.Place(i, first, last);
            }
        }
    }

    private static string WithoutLoneSurrogates(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text;
        }

        char[] units = text.ToCharArray();
        for (int i = 0; i < units.Length; i++)
        {
            if (char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(units[i]))
            {
                units[i] = '\uFFFD';
            }
        }

        return new string(units);
    }
}
