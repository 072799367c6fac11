using System.Globalization;
using System.Numerics;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's <c>repr()</c>: how lists, dictionaries and what is in them look when a template prints them.</summary>
internal sealed class Repr
{
    private readonly Budget _budget;
    private readonly StringBuilder _to = new();

    private Repr(Budget budget)
    {
        _budget = budget;
    }

    public static string Of(Budget budget, object? value)
    {
        Repr repr = new(budget);
        repr.Write(value);
        budget.Text(repr._to.Length);
        return repr._to.ToString();
    }

    /// <summary>A text in quotes: single ones unless it has one and no double quote.</summary>
    public static string Quote(string text)
    {
        StringBuilder to = new(text.Length + 2);
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        to.Append(quote);
        for (int i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int width) != System.Buffers.OperationStatus.Done)
            {
                to.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
                i++;
                continue;
            }

            i += width;
            AppendQuoted(to, rune, quote);
        }

        return to.Append(quote).ToString();
    }

    private static void AppendQuoted(StringBuilder to, Rune rune, char quote)
    {
        int c = rune.Value;
        if (c == quote || c == '\\')
        {
            to.Append('\\').Append((char)c);
        }
        else if (PythonText.IsPrintable(rune))
        {
            to.Append(rune.ToString());
        }
        else
        {
            _ = c switch
            {
                '\n' => to.Append("\\n"),
                '\r' => to.Append("\\r"),
                '\t' => to.Append("\\t"),
                < 0x100 => to.Append(CultureInfo.InvariantCulture, $"\\x{c:x2}"),
                < 0x10000 => to.Append(CultureInfo.InvariantCulture, $"\\u{c:x4}"),
                _ => to.Append(CultureInfo.InvariantCulture, $"\\U{c:x8}"),
            };
        }
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
            case null: _to.Append("None"); break;
            case bool b: _to.Append(b ? "True" : "False"); break;
            case long n: _to.Append(n); break;
            case BigInteger n: _to.Append(Values.Digits(n)); break;
            case double d: _to.Append(Numbers.Repr(d)); break;
            case string s: _to.Append(Quote(s)); break;
            case Markup m: _to.Append("Markup(").Append(Quote(m.Text)).Append(')'); break;
            case List<object?> list: WriteItems('[', list, ']'); break;
            case TupleValue tuple: WriteItems('(', tuple.Items, tuple.Count == 1 ? ",)" : ")"); break;
            case DictValue dict: WriteDict(dict); break;
            case DictView view: WriteView(view); break;
            default: WriteOther((IValue)value); break;
        }
    }

    private void WriteOther(IValue value) => _ = value switch
    {
        Undefined => _to.Append("Undefined"),
        RangeValue range => WriteRange(range),
        BytesValue bytes => WriteBytes(bytes.Bytes),
        NamespaceValue ns => WriteNamespace(ns),
        MacroValue macro => _to.Append("<Macro ").Append(macro.Name is null ? "anonymous" : Quote(macro.Name)).Append('>'),
        LoopValue loop => _to.Append(CultureInfo.InvariantCulture, $"<LoopContext {loop.Index0 + 1}/{loop.Length(_budget)}>"),
        FunctionValue { TypeName: "type" } type => _to.Append("<class '").Append(type.Name).Append("'>"),
        FunctionValue function => _to.Append("<function ").Append(function.Name).Append('>'),
        _ => _to.Append('<').Append(value.TypeName).Append(" object>"),
    };

    private StringBuilder WriteRange(RangeValue range)
    {
        _to.Append("range(").Append(range.Start).Append(", ").Append(range.Stop);
        return (range.Step.IsOne ? _to : _to.Append(", ").Append(range.Step)).Append(')');
    }

    private StringBuilder WriteNamespace(NamespaceValue ns)
    {
        _to.Append("<Namespace ");
        Write(ns.Attributes);
        return _to.Append('>');
    }

    private StringBuilder WriteBytes(byte[] bytes)
    {
        char quote = bytes.Contains((byte)'\'') && !bytes.Contains((byte)'"') ? '"' : '\'';
        _to.Append('b').Append(quote);
        foreach (byte b in bytes)
        {
            _ = b switch
            {
                (byte)'\n' => _to.Append("\\n"),
                (byte)'\r' => _to.Append("\\r"),
                (byte)'\t' => _to.Append("\\t"),
                < 0x20 or >= 0x7f => _to.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}"),
                _ => (b == quote || b == '\\' ? _to.Append('\\') : _to).Append((char)b),
            };
        }

        return _to.Append(quote);
    }

    private void WriteItems(char open, IEnumerable<object?> items, char close) => WriteItems(open, items, close.ToString());

    private void WriteItems(char open, IEnumerable<object?> items, string close)
    {
        _budget.Enter();
        _to.Append(open);
        bool first = true;
        foreach (object? item in items)
        {
            _to.Append(first ? "" : ", ");
            first = false;
            Write(item);
        }

        _to.Append(close);
        _budget.Leave();
    }

    private void WriteDict(DictValue dict)
    {
        _budget.Enter();
        _to.Append('{');
        bool first = true;
        foreach ((object? key, object? value) in dict.Entries)
        {
            _to.Append(first ? "" : ", ");
            first = false;
            Write(key);
            _to.Append(": ");
            Write(value);
        }

        _to.Append('}');
        _budget.Leave();
    }

    private void WriteView(DictView view)
    {
        _to.Append(view.TypeName).Append('(');
        WriteItems('[', view, "]");
        _to.Append(')');
    }
}
