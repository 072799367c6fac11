namespace Anneal.Engine.Text.Tokenization;

/// <summary>Strings by prefix, unit by unit, each with a number that is not below zero; of equal strings the last number counts.</summary>
internal sealed class PieceTrie
{
    /// <summary>The node of the empty string.</summary>
    public const int Root = 0;

    private readonly Dictionary<long, int> _next = [];
    private readonly List<int> _values = [-1];

    /// <summary>Adds a string.</summary>
    public void Add(string text, int value)
    {
        int node = Root;
        foreach (char c in text)
        {
            long key = Key(node, c);
            if (!_next.TryGetValue(key, out int next))
            {
                next = _values.Count;
                _next[key] = next;
                _values.Add(-1);
            }

            node = next;
        }

        _values[node] = value;
    }

    /// <summary>The node one unit further; -1 if no string goes on so.</summary>
    public int Next(int node, char unit) => _next.TryGetValue(Key(node, unit), out int next) ? next : -1;

    /// <summary>The number of the string that ends at a node; -1 if none does.</summary>
    public int PieceAt(int node) => _values[node];

    private static long Key(int node, char unit) => ((long)node << 16) | unit;
}
