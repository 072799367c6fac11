namespace Anneal.Engine.Text.Tokenization;

/// <summary>WordLevel: a word is a token, or unknown.</summary>
internal sealed class WordLevelModel : TokenModel
{
    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _tokens;
    private readonly string _unknown;

    private WordLevelModel(Fields model)
    {
        _ids = ReadVocabulary(model);
        _tokens = Reverse(_ids, $"{model.Path}.vocab");
        _unknown = model.Text("unk_token");
    }

    /// <inheritdoc/>
    public override int IdCount => _tokens.Length;

    /// <inheritdoc/>
    public override int VocabularyCount => _ids.Count;

    /// <summary>Reads the section <c>model</c> of type WordLevel.</summary>
    public static new WordLevelModel Read(Fields model) => new(model);

    /// <inheritdoc/>
    public override int? TokenToId(string token) => _ids.TryGetValue(token, out int id) ? id : null;

    /// <inheritdoc/>
    public override string? IdToToken(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> word, TokenBuffer into) => into.Add(
        TokenToId(word.ToString()) ?? TokenToId(_unknown)
            ?? throw new InvalidDataException($"The unk_token \"{_unknown}\" is not in the vocabulary."),
        0,
        word.Length);
}
