using System.Globalization;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>
/// The values of a template and what Python says about them. A value is one of: <c>null</c> (None), <c>bool</c>,
/// <c>long</c> or, beyond its range, <see cref="BigInteger"/>; <c>double</c>; <c>string</c> or <see cref="Markup"/>;
/// <c>List&lt;object?&gt;</c>; and the classes of this folder.
/// </summary>
internal static class Values
{
    private static readonly string[] AsciiStrings = [.. Enumerable.Range(0, 128).Select(c => ((char)c).ToString())];

    /// <summary>Python's name of the type, as error messages show it.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        List<object?> => "list",
        IValue other => other.TypeName,
        _ => throw new InvalidOperationException($"{value.GetType()} is no template value."),
    };

    /// <summary>Truth in a condition.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool b => b,
        long n => n != 0,
        BigInteger n => !n.IsZero,
        double d => d != 0,
        string s => s.Length > 0,
        List<object?> list => list.Count > 0,
        ISized sized => sized.Count > 0,
        _ => true,
    };

    /// <summary>The text of <c>{{ value }}</c>: Python's <c>str()</c>.</summary>
    public static string ToText(Budget budget, object? value) => value switch
    {
        string s => s,
        Markup m => m.Text,
        Undefined => "",
        _ => Repr.Of(budget, value),
    };

    /// <summary>The text of a string or <see cref="Markup"/>; null for every other value.</summary>
    public static string? AsString(object? value) => value switch
    {
        string s => s,
        Markup m => m.Text,
        _ => null,
    };

    /// <summary>Number of elements; null where Python has no <c>len()</c>.</summary>
    public static int? Length(object? value) => value switch
    {
        string s => PythonText.Length(s),
        List<object?> list => list.Count,
        ISized sized => sized.Count,
        _ => null,
    };

    /// <summary>The elements, lazily; null where Python cannot iterate.</summary>
    public static IEnumerable<object?>? TryIterate(object? value) => value switch
    {
        string s => Characters(s),
        List<object?> list => list,
        IEnumerable<object?> other => other,
        _ => null,
    };

    /// <summary>The elements, lazily.</summary>
    /// <exception cref="TemplateException">The value is no iterable.</exception>
    public static IEnumerable<object?> Iterate(object? value) => TryIterate(value) ?? throw Faults.NotIterable(value);

    /// <summary>All elements in a new list, paid for.</summary>
    public static List<object?> ToList(Budget budget, object? value)
    {
        List<object?> list = [];
        foreach (object? item in Iterate(value))
        {
            list.Add(item);
            if ((list.Count & 255) == 0)
            {
                budget.Items(list.Count);
            }
        }

        budget.Items(list.Count);
        return list;
    }

    /// <summary>The code points of a text, each as a string.</summary>
    public static IEnumerable<object?> Characters(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] < 128)
            {
                yield return AsciiStrings[text[i]];
            }
            else if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                yield return text.Substring(i++, 2);
            }
            else
            {
                yield return text[i].ToString();
            }
        }
    }

    /// <summary>The value as an index; bool counts as 0 and 1. Null if it is no integer.</summary>
    public static BigInteger? AsInteger(object? value) => value switch
    {
        bool b => b ? 1 : 0,
        long n => n,
        BigInteger n => n,
        _ => null,
    };

    /// <summary>An integer that fits into 32 bits, for counts and widths; larger ones are cut to the range.</summary>
    public static int Count(object? value)
    {
        BigInteger n = AsInteger(value)
            ?? throw Faults.Type($"'{TypeName(value)}' object cannot be interpreted as an integer");
        return (int)BigInteger.Max(int.MinValue, BigInteger.Min(int.MaxValue, n));
    }

    /// <summary>An integer in its canonical form: <c>long</c> where it fits.</summary>
    public static object Integer(BigInteger n) => n >= long.MinValue && n <= long.MaxValue ? (object)(long)n : n;

    /// <summary>Decimal digits of an integer; Python refuses more than 4,300.</summary>
    public static string Digits(BigInteger n)
    {
        string digits = n.ToString(CultureInfo.InvariantCulture);
        return digits.Length <= 4300
            ? digits
            : throw Faults.Value("Exceeds the limit (4300 digits) for integer string conversion");
    }
}
