using System.Globalization;
using System.Numerics;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's <c>json.dumps</c>, which is what <c>tojson</c> is in chat templates: no escaping for HTML.</summary>
internal sealed class JsonText
{
    private readonly Budget _budget;
    private readonly StringBuilder _to = new();
    private readonly bool _ascii;
    private readonly string? _indent;
    private readonly string _itemSeparator;
    private readonly string _keySeparator;
    private readonly bool _sortKeys;
    private int _level;

    private JsonText(Budget budget, bool ascii, string? indent, string itemSeparator, string keySeparator, bool sortKeys)
    {
        (_budget, _ascii, _indent, _sortKeys) = (budget, ascii, indent, sortKeys);
        (_itemSeparator, _keySeparator) = (itemSeparator, keySeparator);
    }

    /// <summary>Writes a value. <paramref name="indent"/> null means one line.</summary>
    public static string Of(
        Budget budget, object? value, bool ascii, string? indent, (string Item, string Key)? separators, bool sortKeys)
    {
        (string item, string key) = separators ?? (indent is null ? ", " : ",", ": ");
        JsonText json = new(budget, ascii, indent, item, key, sortKeys);
        json.Write(value);
        budget.Text(json._to.Length);
        return json._to.ToString();
    }

    private void Write(object? value)
    {
        _budget.Step();
        if (_to.Length > _budget.Limits.MaxTextLength)
        {
            _budget.Text(_to.Length);
        }

        switch (value)
        {
            case string s: WriteString(s); break;
            case Markup m: WriteString(m.Text); break;
            case null: _to.Append("null"); break;
            case bool b: _to.Append(b ? "true" : "false"); break;
            case long or BigInteger or double: _to.Append(NumberText(value)); break;
            case List<object?> list: WriteItems(list); break;
            case TupleValue tuple: WriteItems(tuple.Items); break;
            case DictValue dict: WriteDict(dict); break;
            default: throw Faults.Type($"Object of type {Values.TypeName(value)} is not JSON serializable");
        }
    }

    private static string NumberText(object value) => value switch
    {
        long n => n.ToString(CultureInfo.InvariantCulture),
        BigInteger n => Values.Digits(n),
        double.PositiveInfinity => "Infinity",
        double.NegativeInfinity => "-Infinity",
        double.NaN => "NaN",
        double d => Numbers.Repr(d),
        _ => throw new InvalidOperationException(),
    };

    private void WriteItems(IReadOnlyCollection<object?> items)
    {
        if (items.Count == 0)
        {
            _to.Append("[]");
            return;
        }

        Open('[');
        bool first = true;
        foreach (object? item in items)
        {
            Separate(ref first);
            Write(item);
        }

        Close(']');
    }

    private void WriteDict(DictValue dict)
    {
        if (dict.Count == 0)
        {
            _to.Append("{}");
            return;
        }

        IEnumerable<KeyValuePair<object?, object?>> entries = _sortKeys
            ? Comparison.Sort(_budget, dict.Entries, e => e.Key)
            : dict.Entries;
        Open('{');
        bool first = true;
        foreach ((object? key, object? value) in entries)
        {
            Separate(ref first);
            WriteString(KeyText(key));
            _to.Append(_keySeparator);
            Write(value);
        }

        Close('}');
    }

    private static string KeyText(object? key) => key switch
    {
        string s => s,
        Markup m => m.Text,
        null => "null",
        bool b => b ? "true" : "false",
        long or BigInteger or double => NumberText(key),
        _ => throw Faults.Type($"keys must be str, int, float, bool or None, not {Values.TypeName(key)}"),
    };

    private void Open(char bracket)
    {
        _budget.Enter();
        _to.Append(bracket);
        _level++;
    }

    private void Close(char bracket)
    {
        _level--;
        NewLine();
        _to.Append(bracket);
        _budget.Leave();
    }

    private void Separate(ref bool first)
    {
        _to.Append(first ? "" : _itemSeparator);
        first = false;
        NewLine();
    }

    private void NewLine()
    {
        if (_indent is null)
        {
            return;
        }

        _budget.Grow(((long)_indent.Length * _level) + _to.Length, (long)_indent.Length * _level);
        _to.Append('\n');
        for (int i = 0; i < _level; i++)
        {
            _to.Append(_indent);
        }
    }

    private void WriteString(string text)
    {
        _to.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => _to.Append("\\\""),
                '\\' => _to.Append("\\\\"),
                '\n' => _to.Append("\\n"),
                '\r' => _to.Append("\\r"),
                '\t' => _to.Append("\\t"),
                '\f' => _to.Append("\\f"),
                '\b' => _to.Append("\\b"),
                < ' ' => _to.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                > '~' when _ascii => _to.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => _to.Append(c),
            };
        }

        _to.Append('"');
    }
}
