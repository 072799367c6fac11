using System.Text;
using System.Text.Json;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// A unigram language model over pieces (Kudo 2018): of all ways to cut a word into pieces, the one with the greatest sum of
/// scores. A character that is no piece costs ten more than the worst piece, and neighbouring ones become one unknown token.
/// </summary>
internal sealed class UnigramModel : TokenModel
{
    private const double UnknownPenalty = 10;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<(string Token, double Score)> _pieces = [];
    private readonly PieceTrie _trie = new();
    private readonly int?[] _bytes;
    private readonly int? _unknown;
    private readonly bool _byteFallback;
    private readonly double _unknownScore;

    private UnigramModel(Fields model)
    {
        double worst = double.PositiveInfinity;
        foreach ((JsonElement element, string path) in model.Items("vocab"))
        {
            (string token, double score) = ReadPiece(element, path);
            worst = Math.Min(worst, score);

            // Of equal pieces the last one counts.
            _ids[token] = _pieces.Count;
            _trie.Add(token, _pieces.Count);
            _pieces.Add((token, score));
        }

        _unknownScore = worst - UnknownPenalty;
        _byteFallback = model.Flag("byte_fallback", absent: false);
        _bytes = ByteTokens(_ids);
        if (model.Find("unk_id") is not null)
        {
            int unknown = model.Number("unk_id");
            _unknown = unknown < _pieces.Count
                ? unknown
                : throw new InvalidDataException($"{model.Path}.unk_id {unknown} is not in a vocabulary of {_pieces.Count} pieces.");
        }
    }

    /// <inheritdoc/>
    public override int IdCount => _pieces.Count;

    /// <inheritdoc/>
    public override int VocabularyCount => _pieces.Count;

    /// <summary>Reads the section <c>model</c> of type Unigram.</summary>
    public static new UnigramModel Read(Fields model) => new(model);

    /// <inheritdoc/>
    public override int? TokenToId(string token) => _ids.TryGetValue(token, out int id) ? id : null;

    /// <inheritdoc/>
    public override string? IdToToken(int id) => (uint)id < (uint)_pieces.Count ? _pieces[id].Token : null;

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> word, TokenBuffer into)
    {
        Node[] best = BestPaths(word);
        Stack<(int Start, int End)> parts = new();
        for (int end = word.Length; end > 0;)
        {
            int start = best[end].Start;
            bool unknown = best[end].Id == _unknown;
            int fused = end;
            while (unknown && start > 0 && best[start].Id == _unknown)
            {
                start = best[start].Start;
            }

            parts.Push((start, fused));
            end = start;
        }

        while (parts.TryPop(out (int Start, int End) part))
        {
            AddPart(word, part.Start, part.End, into);
        }
    }

    private static (string Token, double Score) ReadPiece(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() != 2 || element[1].ValueKind != JsonValueKind.Number)
        {
            throw new InvalidDataException($"{path} must be a piece and its score.");
        }

        return (Fields.TextOf(element[0], path), element[1].GetDouble());
    }

    /// <summary>For every end in the word, the last piece of the best path to it.</summary>
    private Node[] BestPaths(ReadOnlySpan<char> word)
    {
        Node[] best = new Node[word.Length + 1];
        Array.Fill(best, new Node(-1, -1, 0));
        best[0] = new Node(-1, 0, 0);
        for (int start = 0; start < word.Length;)
        {
            Rune.DecodeFromUtf16(word[start..], out _, out int width);
            double soFar = best[start].Score;
            bool single = false;
            int node = PieceTrie.Root;
            for (int end = start; end < word.Length && (node = _trie.Next(node, word[end])) >= 0;)
            {
                end++;
                int id = _trie.PieceAt(node);
                if (id >= 0)
                {
                    Improve(ref best[end], start, id, soFar + _pieces[id].Score);
                    single |= end - start == width;
                }
            }

            if (!single)
            {
                Improve(ref best[start + width], start, _unknown ?? throw NoUnknown(), soFar + _unknownScore);
            }

            start += width;
        }

        return best;
    }

    private static void Improve(ref Node node, int start, int id, double score)
    {
        if (node.Start < 0 || score > node.Score)
        {
            node = new Node(id, start, score);
        }
    }

    private void AddPart(ReadOnlySpan<char> word, int start, int end, TokenBuffer into)
    {
        if (_ids.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word[start..end], out int id))
        {
            into.Add(id, start, end);
            return;
        }

        byte[] bytes = _byteFallback ? System.Text.Encoding.UTF8.GetBytes(word[start..end].ToString()) : [];
        if (bytes.Length == 0 || bytes.Any(b => _bytes[b] is null))
        {
            into.Add(_unknown ?? throw NoUnknown(), start, end);
            return;
        }

        foreach (byte b in bytes)
        {
            into.Add(_bytes[b]!.Value, start, end);
        }
    }

    private static InvalidDataException NoUnknown() => new("The text has a character without a piece, and the model names no unk_id.");

    private readonly record struct Node(int Id, int Start, double Score);
}
