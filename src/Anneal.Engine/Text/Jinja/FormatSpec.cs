using System.Globalization;
using System.Numerics;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's format specification <c>[[fill]align][sign][#][0][width][grouping][.precision][type]</c>.</summary>
internal sealed class FormatSpec
{
    private string _fill = " ";
    private char _align;
    private char _sign;
    private bool _alternate;
    private char _grouping;
    private int _width;
    private int? _precision;
    private char _type;

    private FormatSpec()
    {
    }

    /// <summary>The text of <c>format(value, spec)</c>.</summary>
    public static string Apply(Budget budget, object? value, string spec)
    {
        if (spec.Length == 0)
        {
            return Values.ToText(budget, value);
        }

        if (value is not (string or Markup or bool or long or BigInteger or double))
        {
            throw Faults.Type($"unsupported format string passed to {Values.TypeName(value)}.__format__");
        }

        FormatSpec parsed = Parse(spec, Values.AsString(value) is null ? '>' : '<');
        budget.Text((long)parsed._width + (parsed._precision ?? 0));
        if (Values.AsString(value) is string text)
        {
            return parsed.OfText(budget, text);
        }

        if (value is double d)
        {
            return parsed.OfFloat(budget, d);
        }

        BigInteger n = Values.AsInteger(value)!.Value;
        return parsed._type != 0 && "eEfFgG%".Contains(parsed._type, StringComparison.Ordinal)
            ? parsed.OfFloat(budget, Numbers.ToDouble(n))
            : parsed.OfInteger(budget, n);
    }

    /// <summary>Digits of a float in one of the styles e, f, g, %, without its sign.</summary>
    public static string Magnitude(double value, char type, int precision, bool alternate)
    {
        char style = char.ToLowerInvariant(type);
        if (!double.IsFinite(value))
        {
            return char.IsUpper(type) ? (double.IsNaN(value) ? "NAN" : "INF") : double.IsNaN(value) ? "nan" : "inf";
        }

        double magnitude = Math.Abs(value);
        switch (style)
        {
            case 'f':
                return Numbers.Fixed(magnitude, precision) + (alternate && precision == 0 ? "." : "");
            case '%':
                return Numbers.Fixed(magnitude * 100, precision) + (alternate && precision == 0 ? "." : "") + "%";
            case 'e':
                (string digits, int exponent) = Numbers.Significant(magnitude, precision + 1);
                return Numbers.Scientific(digits, exponent, char.IsUpper(type) ? 'E' : 'e', alternate);
        }

        (string shortest, int power) = Numbers.Significant(magnitude, Math.Max(1, precision));
        if (!alternate)
        {
            shortest = shortest.TrimEnd('0') is { Length: > 0 } trimmed ? trimmed : "0";
        }

        return power >= -4 && power < Math.Max(1, precision)
            ? Numbers.Positional(shortest, power, "") + (alternate && shortest.Length <= power + 1 ? "." : "")
            : Numbers.Scientific(shortest, power, char.IsUpper(type) ? 'E' : 'e', alternate);
    }

    private static FormatSpec Parse(string spec, char defaultAlign)
    {
        FormatSpec parsed = new();
        bool hasFill = false;
        int at = 0;
        int first = Rune.GetRuneAt(spec, 0).Utf16SequenceLength;
        if (first < spec.Length && spec[first] is '<' or '>' or '=' or '^')
        {
            (parsed._fill, parsed._align, at, hasFill) = (spec[..first], spec[first], first + 1, true);
        }
        else if (spec[0] is '<' or '>' or '=' or '^')
        {
            (parsed._align, at) = (spec[0], 1);
        }

        if (at < spec.Length && spec[at] is '+' or '-' or ' ')
        {
            parsed._sign = spec[at++];
        }

        if (at < spec.Length && spec[at] == 'z')
        {
            throw Faults.Unsupported("the 'z' option of format specifications");
        }

        if (at < spec.Length && spec[at] == '#')
        {
            parsed._alternate = true;
            at++;
        }

        if (at < spec.Length && spec[at] == '0' && !hasFill)
        {
            parsed._fill = "0";
            parsed._align = parsed._align == 0 && defaultAlign == '>' ? '=' : parsed._align;
        }

        parsed.ParseSizes(spec, at);
        return parsed;
    }

    private void ParseSizes(string spec, int at)
    {
        _width = Number(spec, ref at) ?? 0;
        if (at < spec.Length && spec[at] is ',' or '_')
        {
            _grouping = spec[at++];
        }

        if (at < spec.Length && spec[at] == '.')
        {
            at++;
            _precision = Number(spec, ref at) ?? throw Faults.Value("Format specifier missing precision");
        }

        if (at < spec.Length)
        {
            _type = spec[at++];
        }

        if (at < spec.Length || (_type != 0 && !"bcdeEfFgGnosxX%".Contains(_type, StringComparison.Ordinal)))
        {
            throw Faults.Value($"Invalid format specifier '{spec}'");
        }
    }

    private void CheckGrouping(string others)
    {
        if (_grouping != 0 && _type != 0 && !"deEfFgG%".Contains(_type, StringComparison.Ordinal)
            && !(_grouping == '_' && others.Contains(_type, StringComparison.Ordinal)))
        {
            throw Faults.Value($"Cannot specify '{_grouping}' with '{_type}'.");
        }
    }

    private static int? Number(string spec, ref int at)
    {
        int start = at;
        while (at < spec.Length && char.IsAsciiDigit(spec[at]))
        {
            at++;
        }

        if (at == start)
        {
            return null;
        }

        return int.TryParse(spec.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out int n)
            ? n
            : throw Faults.Value("Too many decimal digits in format string");
    }

    private string OfText(Budget budget, string text)
    {
        if (_type is not ('\0' or 's'))
        {
            throw Faults.Value($"Unknown format code '{_type}' for object of type 'str'");
        }

        if (_sign != 0 || _alternate || _align == '=' || _grouping != 0)
        {
            throw Faults.Value("a sign, '#', '=' and grouping are not allowed in a string format specifier");
        }

        string cut = _precision is int n && n < PythonText.Length(text) ? text[..PythonText.Utf16Index(text, n)] : text;
        return Align(budget, "", cut, _align == 0 ? '<' : _align);
    }

    private string OfInteger(Budget budget, BigInteger value)
    {
        if (_precision is not null || (_type == 'c' && _sign != 0))
        {
            throw Faults.Value("Precision not allowed in integer format specifier, nor a sign with 'c'");
        }

        CheckGrouping("boxX");
        BigInteger magnitude = BigInteger.Abs(value);
        (string digits, string prefix, int group) = _type switch
        {
            '\0' or 'd' or 'n' => (Values.Digits(magnitude), "", 3),
            'x' => (Hex(magnitude), "0x", 4),
            'X' => (Hex(magnitude).ToUpperInvariant(), "0X", 4),
            'o' => (InBase(magnitude, 3), "0o", 4),
            'b' => (InBase(magnitude, 1), "0b", 4),
            'c' => (Character(value), "", 0),
            _ => throw Faults.Value($"Unknown format code '{_type}' for object of type 'int'"),
        };
        string sign = SignOf(value.Sign < 0) + (_alternate ? prefix : "");
        return Align(budget, sign, Group(digits, group, sign.Length), _align == 0 ? '>' : _align);
    }

    private string OfFloat(Budget budget, double value)
    {
        if (_type is not ('\0' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' or '%'))
        {
            throw Faults.Value($"Unknown format code '{_type}' for object of type 'float'");
        }

        CheckGrouping("");
        string magnitude = _type is '\0' && _precision is null
            ? Numbers.Repr(Math.Abs(value))
            : Magnitude(value, _type is '\0' or 'n' ? 'g' : _type, _precision ?? 6, _alternate);
        if (_type == 0 && _precision is not null && magnitude.All(char.IsAsciiDigit))
        {
            magnitude += ".0";
        }

        string sign = SignOf(double.IsNegative(value) && !double.IsNaN(value));
        int whole = magnitude.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and int end ? end : magnitude.Length;
        string grouped = Group(magnitude[..whole], 3, sign.Length + magnitude.Length - whole) + magnitude[whole..];
        return Align(budget, sign, grouped, _align == 0 ? '>' : _align);
    }

    private string SignOf(bool negative) => negative ? "-" : _sign is '+' or ' ' ? _sign.ToString() : "";

    // Separators between groups of digits; with zero padding the padding is grouped too.
    private string Group(string digits, int size, int others)
    {
        if (_grouping == 0 || size == 0)
        {
            return digits;
        }

        string padded = digits;
        if (_fill == "0" && _align == '=')
        {
            while (padded.Length + ((padded.Length - 1) / size) + others < _width)
            {
                padded = "0" + padded;
            }
        }

        StringBuilder to = new(padded);
        for (int i = padded.Length - size; i > 0; i -= size)
        {
            to.Insert(i, _grouping);
        }

        return to.ToString();
    }

    private string Align(Budget budget, string sign, string text, char align)
    {
        if (align == '=')
        {
            int width = _width - sign.Length;
            return sign + StringMethods.Pad(budget, text, width, _fill, (n, _) => n);
        }

        return StringMethods.Pad(budget, sign + text, _width, _fill, (n, _) => align switch { '<' => 0, '^' => n / 2, _ => n });
    }

    private static string Hex(BigInteger value) => value.ToString("x", CultureInfo.InvariantCulture).TrimStart('0') is { Length: > 0 } digits ? digits : "0";

    private static string InBase(BigInteger value, int bits)
    {
        StringBuilder to = new();
        for (BigInteger rest = value; rest.Sign > 0 || to.Length == 0; rest >>= bits)
        {
            to.Insert(0, (int)(rest & ((1 << bits) - 1)));
        }

        return to.ToString();
    }

    private static string Character(BigInteger value) => value >= 0 && value <= 0x10FFFF && Rune.IsValid((int)value)
        ? new Rune((int)value).ToString()
        : throw Faults.Overflow("%c arg not in range(0x110000)");
}
