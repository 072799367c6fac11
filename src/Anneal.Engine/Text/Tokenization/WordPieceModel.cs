using System.Text;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>WordPiece (BERT): the longest piece that fits, from the front; a word that does not come out is unknown as a whole.</summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _tokens;
    private readonly string _prefix;
    private readonly string _unknown;
    private readonly int _lengthMax;

    private WordPieceModel(Fields model)
    {
        _ids = ReadVocabulary(model);
        _tokens = Reverse(_ids, $"{model.Path}.vocab");
        _prefix = model.Text("continuing_subword_prefix");
        _unknown = model.Text("unk_token");
        _lengthMax = model.Number("max_input_chars_per_word");
    }

    /// <inheritdoc/>
    public override int IdCount => _tokens.Length;

    /// <inheritdoc/>
    public override int VocabularyCount => _ids.Count;

    /// <summary>Reads the section <c>model</c> of type WordPiece.</summary>
    public static new WordPieceModel Read(Fields model) => new(model);

    /// <inheritdoc/>
    public override int? TokenToId(string token) => _ids.TryGetValue(token, out int id) ? id : null;

    /// <inheritdoc/>
    public override string? IdToToken(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> word, TokenBuffer into)
    {
        int length = 0;
        foreach (Rune _ in word.EnumerateRunes())
        {
            length++;
        }

        List<(int Id, int Start, int End)> pieces = [];
        for (int start = 0; start < word.Length;)
        {
            int id = -1;
            int end = length > _lengthMax ? start : Longest(word, start, out id);
            if (id < 0)
            {
                into.Add(TokenToId(_unknown) ?? throw new InvalidDataException($"The unk_token \"{_unknown}\" is not in the vocabulary."), 0, word.Length);
                return;
            }

            pieces.Add((id, start, end));
            start = end;
        }

        foreach ((int id, int start, int end) in pieces)
        {
            into.Add(id, start, end);
        }
    }

    private int Longest(ReadOnlySpan<char> word, int start, out int id)
    {
        for (int end = word.Length; end > start; end--)
        {
            bool insidePair = end < word.Length && char.IsLowSurrogate(word[end]) && char.IsHighSurrogate(word[end - 1]);
            string piece = start > 0 ? string.Concat(_prefix, word[start..end]) : word[start..end].ToString();
            if (!insidePair && _ids.TryGetValue(piece, out id))
            {
                return end;
            }
        }

        id = -1;
        return start;
    }
}
