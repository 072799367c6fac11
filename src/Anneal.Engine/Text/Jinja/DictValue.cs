using System.Collections;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>A dictionary with Python's idea of equal keys (<c>1 == 1.0 == True</c>), in order of insertion.</summary>
internal sealed class DictValue : IValue, ISized, IEnumerable<object?>
{
    private static readonly object NoneKey = new();
    private readonly OrderedDictionary<object, object?> _entries = new(KeyComparer.Instance);

    public string TypeName => "dict";

    public int Count => _entries.Count;

    /// <summary>Keys and values in order.</summary>
    public IEnumerable<KeyValuePair<object?, object?>> Entries =>
        _entries.Select(e => KeyValuePair.Create(ReferenceEquals(e.Key, NoneKey) ? null : e.Key, e.Value));

    public IEnumerable<object?> Keys => Entries.Select(e => e.Key);

    public IEnumerable<object?> Items => Entries.Select(e => (object?)new TupleValue(e.Key, e.Value));

    public void Set(Budget budget, object? key, object? value)
    {
        KeyComparer.RequireHashable(budget, key);
        budget.Items(_entries.Count >> 4);
        _entries[key ?? NoneKey] = value;
    }

    /// <summary>Sets a key that is known to be a string, without counting.</summary>
    public void Set(string key, object? value) => _entries[key] = value;

    public bool TryGet(Budget budget, object? key, out object? value)
    {
        KeyComparer.RequireHashable(budget, key);
        return _entries.TryGetValue(key ?? NoneKey, out value);
    }

    public bool TryGet(string key, out object? value) => _entries.TryGetValue(key, out value);

    public bool Remove(string key) => _entries.Remove(key);

    public DictValue Copy()
    {
        DictValue copy = new();
        foreach (KeyValuePair<object, object?> e in _entries)
        {
            copy._entries[e.Key] = e.Value;
        }

        return copy;
    }

    public IEnumerator<object?> GetEnumerator() => Keys.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> of a dictionary give.</summary>
internal sealed class DictView(DictValue dict, string typeName) : IValue, ISized, IEnumerable<object?>
{
    public DictValue Dict { get; } = dict;

    public string TypeName { get; } = typeName;

    public int Count => Dict.Count;

    public IEnumerator<object?> GetEnumerator() => (TypeName switch
    {
        "dict_keys" => Dict.Keys,
        "dict_values" => Dict.Entries.Select(e => e.Value),
        _ => Dict.Items,
    }).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Equality and hashes of dictionary keys.</summary>
internal sealed class KeyComparer : IEqualityComparer<object>
{
    public static readonly KeyComparer Instance = new();

    /// <summary>Refuses lists and dictionaries as keys.</summary>
    public static void RequireHashable(Budget budget, object? key)
    {
        if (key is List<object?> or DictValue)
        {
            throw Faults.Type($"unhashable type: '{Values.TypeName(key)}'");
        }

        if (Values.AsString(key) is string text)
        {
            budget.Step(text.Length >> 6);
        }
        else if (key is TupleValue tuple)
        {
            budget.Enter();
            foreach (object? item in tuple.Items)
            {
                budget.Step();
                RequireHashable(budget, item);
            }

            budget.Leave();
        }
    }

    // Keys are checked by RequireHashable before they get here, so their nesting is bounded and paid for.
    public new bool Equals(object? x, object? y) => x is string a && y is string b
        ? a == b
        : Comparison.AreEqual(new Budget(TemplateLimits.Default with { MaxSteps = long.MaxValue }), x, y);

    public int GetHashCode(object obj) => obj switch
    {
        bool b => (b ? 1.0 : 0.0).GetHashCode(),
        long n => ((double)n).GetHashCode(),
        BigInteger n => ((double)n).GetHashCode(),
        double d => d.GetHashCode(),
        string s => string.GetHashCode(s),
        Markup m => string.GetHashCode(m.Text),
        Undefined => 1,
        RangeValue r => r.Count,
        BytesValue b => b.Count,
        TupleValue t => t.Items.Aggregate(t.Count, (hash, item) => HashCode.Combine(hash, item is null ? 0 : GetHashCode(item))),
        _ => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(obj),
    };
}
