using System.Globalization;
using System.Numerics;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's <c>text % values</c>.</summary>
internal sealed class PercentFormat
{
    private readonly Renderer _renderer;
    private readonly string _format;
    private readonly object? _values;
    private readonly bool _escape;
    private readonly StringBuilder _to = new();
    private int _at;
    private int _used;

    private PercentFormat(Renderer renderer, string format, object? values, bool escape)
    {
        (_renderer, _format, _values, _escape) = (renderer, format, values, escape);
    }

    /// <summary>The text with the values in their places: a tuple's elements, a dictionary's entries, or one value.</summary>
    public static string Apply(Renderer renderer, string format, object? values, bool escape)
    {
        PercentFormat job = new(renderer, format, values, escape);
        job.Run();
        renderer.Budget.Text(job._to.Length);
        return job._to.ToString();
    }

    private void Run()
    {
        while (_at < _format.Length)
        {
            char c = _format[_at++];
            if (c != '%')
            {
                _to.Append(c);
            }
            else
            {
                Field();
                _renderer.Budget.Grow(_to.Length, 16);
            }
        }

        // What can be looked up by key may have entries that the format does not use.
        int given = _values is TupleValue tuple ? tuple.Count : _values is DictValue or List<object?> or RangeValue or Undefined ? 0 : 1;
        if (_used < given)
        {
            throw Faults.Type("not all arguments converted during string formatting");
        }
    }

    private void Field()
    {
        object? named = null;
        bool hasName = Peek() == '(';
        if (hasName)
        {
            named = Named();
        }

        string flags = "";
        while (Peek() is '-' or '+' or ' ' or '#' or '0')
        {
            flags += _format[_at++];
        }

        int width = Size() ?? 0;
        if (width < 0)
        {
            flags += '-';
            width = -width;
        }

        int? precision = null;
        if (Peek() == '.')
        {
            _at++;
            precision = Math.Max(0, Size() ?? 0);
        }

        while (Peek() is 'h' or 'l' or 'L')
        {
            _at++;
        }

        if (_at >= _format.Length)
        {
            throw Faults.Value("incomplete format");
        }

        char type = _format[_at++];
        if (type == '%')
        {
            _to.Append('%');
            return;
        }

        _renderer.Budget.Text((long)width + (precision ?? 0));
        Write(type, flags, width, precision, hasName ? named : Next());
    }

    private void Write(char type, string flags, int width, int? precision, object? value)
    {
        Budget budget = _renderer.Budget;
        (string sign, string text) = type switch
        {
            's' => ("", Cut(_escape ? Markup.Escape(budget, value) : Values.ToText(budget, value), precision)),
            'r' or 'a' => ("", Cut(_escape ? Markup.Escape(budget, Repr.Of(budget, value)) : Repr.Of(budget, value), precision)),
            'c' => ("", Character(value)),
            'd' or 'i' or 'u' => Integer(Whole(value, type), flags, precision, ""),
            'x' or 'X' or 'o' => Radix(value, type, flags, precision),
            'e' or 'E' or 'f' or 'F' or 'g' or 'G' => Real(value, type, flags, precision ?? 6),
            _ => throw Faults.Value($"unsupported format character '{type}' (0x{(int)type:x}) at index {_at - 1}"),
        };
        bool zero = flags.Contains('0', StringComparison.Ordinal) && !flags.Contains('-', StringComparison.Ordinal) && type is not ('s' or 'r' or 'a' or 'c');
        if (zero)
        {
            _to.Append(sign).Append(StringMethods.Pad(budget, text, width - sign.Length, "0", (n, _) => n));
        }
        else
        {
            bool left = flags.Contains('-', StringComparison.Ordinal);
            _to.Append(StringMethods.Pad(budget, sign + text, width, " ", (n, _) => left ? 0 : n));
        }
    }

    private static (string Sign, string Text) Integer(BigInteger value, string flags, int? precision, string prefix)
    {
        string digits = Values.Digits(BigInteger.Abs(value)).PadLeft(precision ?? 0, '0');
        return (SignOf(value.Sign < 0, flags) + prefix, digits);
    }

    private static (string Sign, string Text) Radix(object? value, char type, string flags, int? precision)
    {
        BigInteger n = Values.AsInteger(value) ?? throw Faults.Type($"%{type} format: an integer is required, not {Values.TypeName(value)}");
        string digits = type == 'o'
            ? Octal(BigInteger.Abs(n))
            : BigInteger.Abs(n).ToString(type == 'x' ? "x" : "X", CultureInfo.InvariantCulture).TrimStart('0');
        string prefix = flags.Contains('#', StringComparison.Ordinal) ? $"0{type}" : "";
        return (SignOf(n.Sign < 0, flags) + prefix, digits.PadLeft(Math.Max(1, precision ?? 0), '0'));
    }

    private static string Octal(BigInteger value)
    {
        StringBuilder to = new();
        for (; value.Sign > 0; value >>= 3)
        {
            to.Insert(0, (int)(value & 7));
        }

        return to.ToString();
    }

    private static (string Sign, string Text) Real(object? value, char type, string flags, int precision)
    {
        double d = value is double x ? x : value is Undefined undefined
            ? throw undefined.Fail()
            : Numbers.ToDouble(Values.AsInteger(value) ?? throw Faults.Type($"must be real number, not {Values.TypeName(value)}"));
        string text = FormatSpec.Magnitude(d, type, precision, flags.Contains('#', StringComparison.Ordinal));
        return (SignOf(double.IsNegative(d) && !double.IsNaN(d), flags), text);
    }

    private static BigInteger Whole(object? value, char type) => value switch
    {
        double d when double.IsFinite(d) => new BigInteger(d),
        double => throw Faults.Value("cannot convert float infinity or NaN to integer"),
        Undefined undefined => throw undefined.Fail(),
        _ => Values.AsInteger(value) ?? throw Faults.Type($"%{type} format: a real number is required, not {Values.TypeName(value)}"),
    };

    private static string Character(object? value)
    {
        if (Values.AsString(value) is string text)
        {
            return PythonText.Length(text) == 1 ? text : throw Faults.Type("%c requires int or char");
        }

        BigInteger code = Values.AsInteger(value) ?? throw Faults.Type("%c requires int or char");
        return code >= 0 && code <= 0x10FFFF && Rune.IsValid((int)code)
            ? new Rune((int)code).ToString()
            : throw Faults.Overflow("%c arg not in range(0x110000)");
    }

    private static string SignOf(bool negative, string flags) => negative ? "-"
        : flags.Contains('+', StringComparison.Ordinal) ? "+"
        : flags.Contains(' ', StringComparison.Ordinal) ? " " : "";

    private static string Cut(string text, int? precision) =>
        precision is int n && n < PythonText.Length(text) ? text[..PythonText.Utf16Index(text, n)] : text;

    private char Peek() => _at < _format.Length ? _format[_at] : '\0';

    private object? Next()
    {
        if (_values is TupleValue tuple)
        {
            return _used < tuple.Count ? tuple.Items[_used++] : throw Faults.Type("not enough arguments for format string");
        }

        return _used++ == 0 ? _values : throw Faults.Type("not enough arguments for format string");
    }

    private object? Named()
    {
        int depth = 0;
        int start = _at + 1;
        do
        {
            depth += Peek() == '(' ? 1 : Peek() == ')' ? -1 : 0;
            _at++;
        }
        while (depth > 0 && _at < _format.Length);
        if (depth > 0)
        {
            throw Faults.Value("incomplete format key");
        }

        DictValue dict = _values as DictValue ?? throw Faults.Type("format requires a mapping");
        string key = _format[start..(_at - 1)];
        return dict.TryGet(key, out object? value) ? value : throw Faults.Value($"KeyError: '{key}'");
    }

    private int? Size()
    {
        if (Peek() == '*')
        {
            _at++;
            return Values.AsInteger(Next()) is BigInteger n ? Values.Count(Values.Integer(n)) : throw Faults.Type("* wants int");
        }

        int start = _at;
        while (char.IsAsciiDigit(Peek()))
        {
            _at++;
        }

        if (_at == start)
        {
            return null;
        }

        return int.TryParse(_format.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out int size)
            ? size
            : throw Faults.Value("width too big");
    }
}
