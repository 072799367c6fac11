using System.Collections;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>A value of a class of this folder.</summary>
internal interface IValue
{
    /// <summary>Python's name of the type.</summary>
    string TypeName { get; }
}

/// <summary>A value that has a length.</summary>
internal interface ISized
{
    /// <summary>Number of elements; for text, of code points.</summary>
    int Count { get; }
}

/// <summary>A value that can be called.</summary>
internal interface ICallable
{
    /// <summary>Calls it.</summary>
    object? Call(Renderer renderer, Arguments arguments);
}

/// <summary>A value that is not there, with the reason why.</summary>
internal sealed class Undefined : IValue, ISized, IEnumerable<object?>
{
    private static readonly object Nothing = new();
    private readonly string? _hint;
    private readonly object? _of;
    private readonly object? _name;
    private readonly TemplateFault _fault;

    private Undefined(string? hint, object? of, object? name, TemplateFault fault)
    {
        (_hint, _of, _name, _fault) = (hint, of, name, fault);
    }

    public string TypeName => "Undefined";

    public int Count => 0;

    /// <summary>A variable that nobody set.</summary>
    public static Undefined Variable(string name) => new(null, Nothing, name, TemplateFault.Undefined);

    /// <summary>An attribute or element that a value does not have.</summary>
    public static Undefined Member(object? of, object? name) => new(null, of, name, TemplateFault.Undefined);

    /// <summary>A missing value with a reason of its own.</summary>
    public static Undefined Because(string hint) => new(hint, Nothing, null, TemplateFault.Undefined);

    /// <summary>An attribute that the sandbox hides: it prints as nothing, and any use of it is refused.</summary>
    public static Undefined Unsafe(object? of, string name) => new(
        $"access to attribute '{name}' of '{Values.TypeName(of)}' object is unsafe.", of, name, TemplateFault.Security);

    /// <summary>The exception for doing anything with it.</summary>
    public TemplateException Fail() => new(_fault, Message());

    public IEnumerator<object?> GetEnumerator() => Enumerable.Empty<object?>().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private string Message()
    {
        if (_hint is not null)
        {
            return _hint;
        }

        if (ReferenceEquals(_of, Nothing))
        {
            return $"'{_name}' is undefined";
        }

        string owner = _of is null ? "None" : $"{Values.TypeName(_of)} object";
        return _name is string ? $"'{owner}' has no attribute '{_name}'" : $"{owner} has no element {_name ?? "None"}";
    }
}

/// <summary>Text that is already escaped for HTML: what <c>safe</c> and <c>escape</c> give. It compares as its text.</summary>
internal sealed class Markup(string text) : IValue, ISized, IEnumerable<object?>
{
    public string Text { get; } = text;

    public string TypeName => "Markup";

    public int Count => PythonText.Length(Text);

    /// <summary>The value as text that is safe in HTML; markup stays as it is.</summary>
    public static string Escape(Budget budget, object? value)
    {
        if (value is Markup markup)
        {
            return markup.Text;
        }

        string text = Values.ToText(budget, value);
        if (text.AsSpan().IndexOfAny("&<>'\"") < 0)
        {
            return text;
        }

        budget.Text(text.Length * 5L);
        return text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
            .Replace("\"", "&#34;", StringComparison.Ordinal);
    }

    public IEnumerator<object?> GetEnumerator() => Values.Characters(Text).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A tuple; with <see cref="FieldNames"/> a named one.</summary>
internal sealed class TupleValue(params object?[] items) : IValue, ISized, IEnumerable<object?>
{
    public object?[] Items { get; } = items;

    /// <summary>Names of the elements, for what <c>groupby</c> gives.</summary>
    public string[]? FieldNames { get; init; }

    public string TypeName => "tuple";

    public int Count => Items.Length;

    public IEnumerator<object?> GetEnumerator() => ((IEnumerable<object?>)Items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>An arithmetic progression of integers.</summary>
internal sealed class RangeValue(BigInteger start, BigInteger stop, BigInteger step, int count)
    : IValue, ISized, IEnumerable<object?>
{
    public BigInteger Start { get; } = start;

    public BigInteger Stop { get; } = stop;

    public BigInteger Step { get; } = step;

    public string TypeName => "range";

    public int Count { get; } = count;

    public object? this[int index] => Values.Integer(Start + (index * Step));

    /// <summary>Number of elements of such a range.</summary>
    public static BigInteger CountOf(BigInteger start, BigInteger stop, BigInteger step)
    {
        BigInteger span = step.Sign > 0 ? stop - start : start - stop;
        return span.Sign <= 0 ? 0 : ((span - 1) / BigInteger.Abs(step)) + 1;
    }

    public IEnumerator<object?> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A sequence that can be walked once, as filters like <c>map</c> give.</summary>
internal sealed class GeneratorValue(IEnumerable<object?> items, string typeName = "generator") : IValue, IEnumerable<object?>
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public string TypeName { get; } = typeName;

    public IEnumerator<object?> GetEnumerator()
    {
        while (_items.MoveNext())
        {
            yield return _items.Current;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Bytes, as <c>encode()</c> gives.</summary>
internal sealed class BytesValue(byte[] bytes) : IValue, ISized, IEnumerable<object?>
{
    public byte[] Bytes { get; } = bytes;

    public string TypeName => "bytes";

    public int Count => Bytes.Length;

    public IEnumerator<object?> GetEnumerator() => Bytes.Select(b => (object?)(long)b).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A function or bound method written in C#.</summary>
internal sealed class FunctionValue(string name, Func<Renderer, Arguments, object?> body, string typeName = "builtin_function_or_method")
    : IValue, ICallable
{
    public string Name { get; } = name;

    public string TypeName { get; } = typeName;

    public object? Call(Renderer renderer, Arguments arguments) => body(renderer, arguments);
}

/// <summary>What <c>namespace()</c> makes: the one thing whose attributes a template can set.</summary>
internal sealed class NamespaceValue : IValue
{
    public DictValue Attributes { get; } = new();

    public string TypeName => "Namespace";

    public void Set(Budget budget, string name, object? value)
    {
        if (name.StartsWith('_'))
        {
            throw Faults.Security(
                $"Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. Please rename the attribute.");
        }

        Attributes.Set(budget, name, value);
    }
}

/// <summary>What <c>cycler()</c> makes.</summary>
internal sealed class CyclerValue(object?[] items) : IValue
{
    private int _position;

    public string TypeName => "Cycler";

    public object?[] Items { get; } = items;

    public int Position => _position;

    public object? Current => Items[_position];

    public object? Next()
    {
        object? value = Current;
        _position = (_position + 1) % Items.Length;
        return value;
    }

    public void Reset() => _position = 0;
}

/// <summary>What <c>joiner()</c> makes: nothing at its first call, the separator at every later one.</summary>
internal sealed class JoinerValue(object? separator) : IValue, ICallable
{
    public string TypeName => "Joiner";

    public bool Used { get; private set; }

    public object? Separator { get; } = separator;

    public object? Call(Renderer renderer, Arguments arguments)
    {
        if (arguments.Count > 0)
        {
            throw Faults.Type("a joiner takes no arguments");
        }

        object? value = Used ? Separator : "";
        Used = true;
        return value;
    }
}
