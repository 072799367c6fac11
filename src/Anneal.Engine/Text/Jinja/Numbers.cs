using System.Globalization;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's numbers as text and back: shortest and exact decimal forms, rounding of halves to even.</summary>
internal static class Numbers
{
    /// <summary>The shortest text that reads back as the same number, as Python writes it.</summary>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        string plain = value.ToString("R", CultureInfo.InvariantCulture);
        string digits = SignificantDigits(plain);
        int exponent = value == 0 ? 0 : ExponentOf(plain);
        string sign = double.IsNegative(value) ? "-" : "";
        return sign + (exponent is >= -4 and < 16 ? Positional(digits, exponent, "0") : Scientific(digits, exponent));
    }

    /// <summary>The exact value rounded, halves to even, to a number of decimals, which may be negative; times ten to it.</summary>
    public static BigInteger RoundScaled(double value, int decimals)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7FF);
        BigInteger numerator = bits & 0xFFFFFFFFFFFFF;
        if (exponent == 0)
        {
            exponent = 1;
        }
        else
        {
            numerator += 1L << 52;
        }

        exponent -= 1075;
        BigInteger denominator = BigInteger.One;
        if (exponent >= 0)
        {
            numerator <<= exponent;
        }
        else
        {
            denominator <<= -exponent;
        }

        if (decimals >= 0)
        {
            numerator *= BigInteger.Pow(10, decimals);
        }
        else
        {
            denominator *= BigInteger.Pow(10, -decimals);
        }

        BigInteger rounded = DivideToEven(numerator, denominator);
        return bits < 0 ? -rounded : rounded;
    }

    /// <summary>A quotient of integers, the second positive, rounded with halves to even.</summary>
    public static BigInteger DivideToEven(BigInteger numerator, BigInteger denominator)
    {
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(numerator), denominator, out BigInteger rest);
        int half = (rest * 2).CompareTo(denominator);
        if (half > 0 || (half == 0 && !quotient.IsEven))
        {
            quotient++;
        }

        return numerator.Sign < 0 ? -quotient : quotient;
    }

    /// <summary>Fixed-point text of the magnitude: <c>%.Nf</c> without the sign.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : "inf";
        }

        string digits = RoundScaled(Math.Abs(value), decimals).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        return decimals == 0 ? digits : $"{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary>Digits of the magnitude rounded to a count of significant ones, and its decimal exponent.</summary>
    public static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (value == 0)
        {
            return (new string('0', count), 0);
        }

        double magnitude = Math.Abs(value);
        int exponent = (int)Math.Floor(Math.Log10(magnitude));
        while (true)
        {
            // The estimate of the exponent may be off by one, and rounding may carry into a new digit.
            string digits = RoundScaled(magnitude, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count && digits != "0")
            {
                return (digits, exponent);
            }

            exponent += digits.Length > count ? 1 : -1;
        }
    }

    /// <summary>Python's <c>round(value, decimals)</c>.</summary>
    public static double Round(double value, int decimals)
    {
        if (!double.IsFinite(value) || decimals > 323)
        {
            return value;
        }

        if (decimals < -308)
        {
            return value * 0.0;
        }

        BigInteger scaled = RoundScaled(value, decimals);
        double rounded = double.Parse(
            $"{scaled.ToString(CultureInfo.InvariantCulture)}E{-decimals}", NumberStyles.Float, CultureInfo.InvariantCulture);
        if (double.IsInfinity(rounded))
        {
            throw Faults.Overflow("rounded value too large to represent");
        }

        return scaled.IsZero && double.IsNegative(value) ? -0.0 : rounded;
    }

    /// <summary>An integer as the nearest float.</summary>
    public static double ToDouble(BigInteger value)
    {
        if (BigInteger.Abs(value) <= 1L << 53)
        {
            return (double)(long)value;
        }

        double result = double.Parse(value.ToString(CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsInfinity(result) ? throw Faults.Overflow("int too large to convert to float") : result;
    }

    /// <summary>Reads Python's <c>float("…")</c>; null if it is none.</summary>
    public static double? ParseFloat(string text)
    {
        string trimmed = PythonText.Strip(text, null);
        string? plain = WithoutUnderscores(trimmed);
        if (plain is null || plain.Length == 0)
        {
            return null;
        }

        string word = plain.TrimStart('+', '-').ToUpperInvariant();
        if (word is "INF" or "INFINITY" or "NAN" && plain.Length - word.Length <= 1)
        {
            return word == "NAN" ? double.NaN : plain[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        }

        return char.IsAsciiDigit(plain[^1]) || plain[^1] == '.'
            ? double.TryParse(
                plain, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out double d) ? d : null
            : null;
    }

    /// <summary>Reads Python's <c>int("…", base)</c>; null if it is none.</summary>
    public static BigInteger? ParseInteger(Budget budget, string text, int radix)
    {
        string digits = PythonText.Strip(text, null);
        bool negative = digits.StartsWith('-');
        if (negative || digits.StartsWith('+'))
        {
            digits = digits[1..];
        }

        int prefix = digits.Length > 1 && digits[0] == '0' ? char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefix != 0 && (radix == prefix || radix == 0))
        {
            (radix, digits) = (prefix, digits[2..].TrimStart('_'));
        }
        else if (radix == 0)
        {
            if (digits.Length > 1 && digits[0] == '0' && digits.Trim('0', '_').Length > 0)
            {
                return null;
            }

            radix = 10;
        }

        digits = WithoutUnderscores(digits) ?? "";
        if (digits.Length is 0 or > 4300 || !digits.All(c => Digit(c) < radix))
        {
            return null;
        }

        budget.Step((long)digits.Length * digits.Length / 64);
        BigInteger value = digits.Aggregate(BigInteger.Zero, (sum, c) => (sum * radix) + Digit(c));
        return negative ? -value : value;

        static int Digit(char c) => c switch
        {
            >= '0' and <= '9' => c - '0',
            >= 'a' and <= 'z' => c - 'a' + 10,
            >= 'A' and <= 'Z' => c - 'A' + 10,
            _ => CharUnicodeInfo.GetDecimalDigitValue(c) is >= 0 and int d ? d : int.MaxValue,
        };
    }

    /// <summary>Digits around a decimal point; <paramref name="ending"/> stands behind a point with nothing after it.</summary>
    public static string Positional(string digits, int exponent, string ending)
    {
        if (exponent < 0)
        {
            return $"0.{new string('0', -exponent - 1)}{digits}";
        }

        string padded = digits.PadRight(exponent + 1, '0');
        string fraction = padded[(exponent + 1)..];
        return fraction.Length > 0 ? $"{padded[..(exponent + 1)]}.{fraction}" : ending.Length > 0 ? $"{padded}.{ending}" : padded;
    }

    /// <summary>Digits with a power of ten: <c>1.5e-07</c>.</summary>
    public static string Scientific(string digits, int exponent, char letter = 'e', bool keepPoint = false)
    {
        string mantissa = digits.Length > 1 ? $"{digits[0]}.{digits[1..]}" : keepPoint ? $"{digits}." : digits;
        return $"{mantissa}{letter}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
    }

    private static string SignificantDigits(string plain)
    {
        int end = plain.IndexOf('E');
        string digits = new([.. (end < 0 ? plain : plain[..end]).Where(char.IsAsciiDigit)]);
        digits = digits.TrimStart('0').TrimEnd('0');
        return digits.Length == 0 ? "0" : digits;
    }

    private static int ExponentOf(string plain)
    {
        int e = plain.IndexOf('E');
        int power = e < 0 ? 0 : int.Parse(plain.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        ReadOnlySpan<char> mantissa = (e < 0 ? plain : plain[..e]).AsSpan().TrimStart('-');
        int point = mantissa.IndexOf('.');
        int first = mantissa.IndexOfAnyExcept('0', '.');
        point = point < 0 ? mantissa.Length : point;
        return power + (first < point ? point - first - 1 : point - first);
    }

    // Underscores may stand between digits only.
    private static string? WithoutUnderscores(string text)
    {
        for (int i = text.IndexOf('_'); i >= 0; i = text.IndexOf('_', i + 1))
        {
            if (i == 0 || i == text.Length - 1 || !char.IsAsciiLetterOrDigit(text[i - 1]) || !char.IsAsciiLetterOrDigit(text[i + 1]))
            {
                return null;
            }
        }

        return text.Replace("_", "", StringComparison.Ordinal);
    }
}
