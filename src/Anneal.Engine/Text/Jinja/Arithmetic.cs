using System.Numerics;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's arithmetic on template values: integers without limit, text and lists that add and repeat.</summary>
internal static class Arithmetic
{
    /// <summary>One of <c>+ - * / // % **</c>.</summary>
    public static object? Binary(Renderer renderer, string sign, object? a, object? b)
    {
        Budget budget = renderer.Budget;
        if (sign == "%" && Values.AsString(a) is string format)
        {
            string text = PercentFormat.Apply(renderer, format, b, a is Markup);
            return a is Markup ? new Markup(text) : text;
        }

        if (a is Undefined undefined || (undefined = (b as Undefined)!) is not null)
        {
            throw undefined.Fail();
        }

        object? result = sign switch
        {
            "+" => Add(budget, a, b),
            "*" => Repeat(budget, a, b) ?? Repeat(budget, b, a),
            _ => null,
        };
        return result ?? Number(budget, sign, a, b)
            ?? throw Faults.Type(
                $"unsupported operand type(s) for {(sign == "**" ? "** or pow()" : sign)}: '{Values.TypeName(a)}' and '{Values.TypeName(b)}'");
    }

    /// <summary><c>-a</c> or <c>+a</c>.</summary>
    public static object? Unary(char sign, object? a) => a switch
    {
        Undefined undefined => throw undefined.Fail(),
        double d => sign == '-' ? -d : d,
        _ => Values.AsInteger(a) is BigInteger n
            ? Values.Integer(sign == '-' ? -n : n)
            : throw Faults.Type($"bad operand type for unary {sign}: '{Values.TypeName(a)}'"),
    };

    private static object? Add(Budget budget, object? a, object? b)
    {
        if (Values.AsString(a) is string left)
        {
            string right = Values.AsString(b) ?? throw Faults.Type($"can only concatenate str (not \"{Values.TypeName(b)}\") to str");
            if (a is Markup || b is Markup)
            {
                return new Markup(Join(budget, Markup.Escape(budget, a), Markup.Escape(budget, b)));
            }

            return Join(budget, left, right);
        }

        if (a is List<object?> x)
        {
            List<object?> y = b as List<object?> ?? throw Faults.Type($"can only concatenate list (not \"{Values.TypeName(b)}\") to list");
            budget.Items((long)x.Count + y.Count);
            return new List<object?>([.. x, .. y]);
        }

        if (a is TupleValue s)
        {
            TupleValue t = b as TupleValue ?? throw Faults.Type($"can only concatenate tuple (not \"{Values.TypeName(b)}\") to tuple");
            budget.Items((long)s.Count + t.Count);
            return new TupleValue([.. s.Items, .. t.Items]);
        }

        return null;
    }

    private static string Join(Budget budget, string a, string b)
    {
        budget.Text((long)a.Length + b.Length);
        return a + b;
    }

    private static object? Repeat(Budget budget, object? sequence, object? times)
    {
        if (sequence is not (string or Markup or List<object?> or TupleValue) || Values.AsInteger(times) is not BigInteger count)
        {
            return null;
        }

        int n = (int)BigInteger.Max(0, BigInteger.Min(int.MaxValue, count));
        if (Values.AsString(sequence) is string text)
        {
            budget.Text((long)n * text.Length);
            string repeated = text.Length == 0 ? "" : new StringBuilder(text.Length * n).Insert(0, text, n).ToString();
            return sequence is Markup ? new Markup(repeated) : repeated;
        }

        IReadOnlyList<object?> items = sequence is TupleValue tuple ? tuple.Items : (List<object?>)sequence;
        budget.Items((long)n * items.Count);
        object?[] all = items.Count == 0 ? [] : [.. Enumerable.Repeat(items, n).SelectMany(x => x)];
        return sequence is TupleValue ? new TupleValue(all) : new List<object?>(all);
    }

    private static object? Number(Budget budget, string sign, object? a, object? b)
    {
        if (a is long x && b is long y && Small(sign, x, y) is long fast)
        {
            return fast;
        }

        BigInteger? left = Values.AsInteger(a);
        BigInteger? right = Values.AsInteger(b);
        if ((left is null && a is not double) || (right is null && b is not double))
        {
            return null;
        }

        if (left is BigInteger n && right is BigInteger m)
        {
            return Integers(budget, sign, n, m);
        }

        return Floats(sign, a is double d ? d : Numbers.ToDouble(left!.Value), b is double e ? e : Numbers.ToDouble(right!.Value));
    }

    // Sums and products that stay within 64 bits.
    private static long? Small(string sign, long a, long b)
    {
        long result;
        switch (sign)
        {
            case "+":
                result = unchecked(a + b);
                return ((a ^ result) & (b ^ result)) < 0 ? null : result;
            case "-":
                result = unchecked(a - b);
                return ((a ^ b) & (a ^ result)) < 0 ? null : result;
            case "*":
                long high = Math.BigMul(a, b, out result);
                return high == result >> 63 ? result : null;
            default:
                return null;
        }
    }

    private static object Integers(Budget budget, string sign, BigInteger a, BigInteger b)
    {
        switch (sign)
        {
            case "+": return Checked(budget, a + b);
            case "-": return Checked(budget, a - b);
            case "*":
                CheckBits(budget, a.GetBitLength() + b.GetBitLength());
                return Checked(budget, a * b);
            case "**": return Power(budget, a, b);
        }

        if (b.IsZero)
        {
            throw Faults.ZeroDivision(sign switch
            {
                "/" => "division by zero",
                "%" => "integer modulo by zero",
                _ => "integer division or modulo by zero",
            });
        }

        if (sign == "/")
        {
            return Divide(a, b);
        }

        BigInteger quotient = BigInteger.DivRem(a, b, out BigInteger rest);
        if (!rest.IsZero && (rest.Sign < 0) != (b.Sign < 0))
        {
            quotient--;
            rest += b;
        }

        return Values.Integer(sign == "%" ? rest : quotient);
    }

    private static object Power(Budget budget, BigInteger a, BigInteger b)
    {
        if (b.Sign < 0)
        {
            return a.IsZero
                ? throw Faults.ZeroDivision("0.0 cannot be raised to a negative power")
                : FloatPower(Numbers.ToDouble(a), Numbers.ToDouble(b));
        }

        if (BigInteger.Abs(a) > 1)
        {
            CheckBits(budget, b > int.MaxValue ? long.MaxValue : (a.GetBitLength() - 1) * (long)b);
        }

        // 0, 1 and -1 have powers for every exponent, also one beyond 32 bits.
        return BigInteger.Abs(a) > 1
            ? Checked(budget, BigInteger.Pow(a, (int)b))
            : Values.Integer(b.IsZero ? 1 : b.IsEven ? BigInteger.Abs(a) : a);
    }

    private static object Checked(Budget budget, BigInteger value)
    {
        CheckBits(budget, value.GetBitLength());
        return Values.Integer(value);
    }

    private static void CheckBits(Budget budget, long bits)
    {
        if (bits > budget.Limits.MaxIntegerBits)
        {
            throw Budget.Limit($"the template makes an integer of more than {budget.Limits.MaxIntegerBits} bits");
        }

        budget.Step(bits >> 6);
    }

    // The nearest float of a quotient: 66 significant bits and a sticky one are enough to round once.
    private static double Divide(BigInteger a, BigInteger b)
    {
        if (BigInteger.Abs(a) <= 1L << 53 && BigInteger.Abs(b) <= 1L << 53)
        {
            return (double)(long)a / (double)(long)b;
        }

        int shift = (int)Math.Max(0, 66 + b.GetBitLength() - a.GetBitLength());
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(a) << shift, BigInteger.Abs(b), out BigInteger rest);
        quotient = (quotient << 1) + (rest.IsZero ? 0 : 1);
        double magnitude = Math.ScaleB(Numbers.ToDouble(quotient), -shift - 1);
        if (double.IsInfinity(magnitude))
        {
            throw Faults.Overflow("integer division result too large for a float");
        }

        return a.Sign == b.Sign ? magnitude : -magnitude;
    }

    private static double Floats(string sign, double a, double b)
    {
        if (b == 0 && (sign is "/" or "//" or "%"))
        {
            throw Faults.ZeroDivision(sign switch
            {
                "/" => "float division by zero",
                "%" => "float modulo",
                _ => "float floor division by zero",
            });
        }

        return sign switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            "%" => Modulo(a, b),
            "//" => FloorDivide(a, b),
            _ => FloatPower(a, b),
        };
    }

    private static double FloatPower(double a, double b)
    {
        if (a == 0 && b < 0)
        {
            throw Faults.ZeroDivision("0.0 cannot be raised to a negative power");
        }

        if (a < 0 && double.IsFinite(a) && double.IsFinite(b) && b != Math.Floor(b))
        {
            throw Faults.Unsupported("complex numbers");
        }

        double power = Math.Pow(a, b);
        return double.IsInfinity(power) && double.IsFinite(a) && double.IsFinite(b)
            ? throw Faults.Overflow("Numerical result out of range")
            : power;
    }

    // The rest has the sign of the divisor.
    private static double Modulo(double a, double b)
    {
        double rest = a % b;
        if (rest != 0)
        {
            return (b < 0) != (rest < 0) ? rest + b : rest;
        }

        return Math.CopySign(0.0, b);
    }

    private static double FloorDivide(double a, double b)
    {
        double rest = a % b;
        double quotient = (a - rest) / b;
        if (rest != 0 && (b < 0) != (rest < 0))
        {
            quotient -= 1.0;
        }

        if (quotient == 0)
        {
            return Math.CopySign(0.0, a / b);
        }

        double floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1.0 : floor;
    }
}
