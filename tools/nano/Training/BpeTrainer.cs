using System.Text;
using System.Text.RegularExpressions;

namespace Anneal.Nano.Training;

/// <summary>
/// Learns a byte-level byte-pair encoding (Sennrich et al. 2016; bytes as in GPT-2): starts from the 256 bytes and merges
/// the most frequent neighbouring pair until the vocabulary is full. Merges never cross the pieces of <see cref="Pattern"/>.
/// </summary>
internal sealed partial class BpeTrainer
{
    /// <summary>
    /// Cuts text into pieces: contractions, words with the one sign before them, single digits (so that numbers line up for
    /// arithmetic), signs, line ends, spaces.
    /// </summary>
    public const string Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private readonly Dictionary<string, long> _pieces = [];

    /// <summary>Counts the pieces of a text.</summary>
    public void Add(string text)
    {
        foreach (ValueMatch match in PieceRegex().EnumerateMatches(text))
        {
            string piece = text.Substring(match.Index, match.Length);
            _pieces[piece] = _pieces.GetValueOrDefault(piece) + 1;
        }
    }

    /// <summary>
    /// The merges in order, as pairs of ids; id 0 … 255 are the bytes, 256 + i is the result of merge i. Equal counts are
    /// decided by the lower ids, so that the same text gives the same merges.
    /// </summary>
    /// <exception cref="InvalidOperationException">The text has too few different pairs.</exception>
    public IReadOnlyList<(int Left, int Right)> Train(int merges)
    {
        KeyValuePair<string, long>[] pieces = [.. _pieces.OrderBy(pair => pair.Key, StringComparer.Ordinal)];
        List<int>[] words = [.. pieces.Select(pair => Encoding.UTF8.GetBytes(pair.Key).Select(b => (int)b).ToList())];
        Dictionary<(int, int), long> counts = [];
        Dictionary<(int, int), HashSet<int>> places = [];
        for (int w = 0; w < words.Length; w++)
        {
            Count(words[w], w, pieces[w].Value, counts, places);
        }

        List<(int, int)> result = new(merges);
        while (result.Count < merges)
        {
            (int, int) best = Best(counts);
            int id = 256 + result.Count;
            result.Add(best);
            foreach (int w in places[best].Order().ToArray())
            {
                Count(words[w], w, -pieces[w].Value, counts, places);
                Merge(words[w], best, id);
                Count(words[w], w, pieces[w].Value, counts, places);
            }
        }
        return result;
    }

    private static (int, int) Best(Dictionary<(int, int), long> counts)
    {
        (int, int) best = default;
        long most = 0;
        foreach ((var pair, long count) in counts)
        {
            if (count > most || (count == most && pair.CompareTo(best) < 0))
            {
                (best, most) = (pair, count);
            }
        }
        return most > 1 ? best : throw new InvalidOperationException("The text is too small for this vocabulary.");
    }

    private static void Count(
        List<int> word, int index, long amount, Dictionary<(int, int), long> counts, Dictionary<(int, int),
            HashSet<int>> places)
    {
        for (int i = 0; i + 1 < word.Count; i++)
        {
            (int, int) pair = (word[i], word[i + 1]);
            long count = counts.GetValueOrDefault(pair) + amount;
            if (!places.TryGetValue(pair, out HashSet<int>? set))
            {
                places[pair] = set = [];
            }
            set.Add(index);
            if (count == 0)
            {
                counts.Remove(pair);
            }
            else
            {
                counts[pair] = count;
            }
        }
    }

    private static void Merge(List<int> word, (int Left, int Right) pair, int id)
    {
        int write = 0;
        for (int read = 0; read < word.Count; read++, write++)
        {
            if (read + 1 < word.Count && word[read] == pair.Left && word[read + 1] == pair.Right)
            {
                word[write] = id;
                read++;
            }
            else
            {
                word[write] = word[read];
            }
        }
        word.RemoveRange(write, word.Count - write);
    }

    [GeneratedRegex(Pattern)]
    private static partial Regex PieceRegex();
}
