using System.Collections.Frozen;
using System.Globalization;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>What a filter does with its input and the values of its parameters.</summary>
internal delegate object? FilterBody(Renderer renderer, object? input, object?[] values);

/// <summary>The filters by name.</summary>
internal static class Filters
{
    private static readonly FrozenDictionary<string, Func<Renderer, object?, Arguments, object?>> All = Create().ToFrozenDictionary();

    public static bool Exists(string name) => All.ContainsKey(name);

    /// <exception cref="TemplateException">There is no such filter, or it cannot do this.</exception>
    public static object? Apply(Renderer renderer, string name, object? input, Arguments arguments)
    {
        renderer.Budget.Step();
        return All.TryGetValue(name, out Func<Renderer, object?, Arguments, object?>? filter)
            ? filter(renderer, input, arguments)
            : throw Faults.Runtime($"No filter named '{name}'.");
    }

    private static Dictionary<string, Func<Renderer, object?, Arguments, object?>> Create()
    {
        Dictionary<string, Func<Renderer, object?, Arguments, object?>> all = [];
        TextFilters.AddTo(all);
        SequenceFilters.AddTo(all);
        AddValueFilters(all);
        return all;
    }

    /// <summary>Adds a filter whose parameters are bound by a signature.</summary>
    public static void Add(
        this Dictionary<string, Func<Renderer, object?, Arguments, object?>> all, Signature signature, FilterBody body, params string[] names)
    {
        foreach (string name in names)
        {
            all[name] = (renderer, input, arguments) => body(renderer, input, signature.Bind(arguments));
        }
    }

    private static void AddValueFilters(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        all.Add(Signature.Of("default", "default_value boolean", "", false), (_, x, v) =>
            x is Undefined || (Values.IsTrue(v[1]) && !Values.IsTrue(x)) ? v[0] : x, "default", "d");
        all.Add(Signature.Of("tojson", "ensure_ascii indent separators sort_keys", false, null, null, false), ToJson, "tojson");
        all.Add(Signature.Of("attr", "name"), Attribute, "attr");
        all.Add(Signature.Empty("abs"), (_, x, _) => x switch
        {
            double d => Math.Abs(d),
            _ => Values.Integer(BigInteger.Abs(Values.AsInteger(x)
                ?? throw Faults.Type($"bad operand type for abs(): '{Values.TypeName(x)}'"))),
        }, "abs");
        all.Add(Signature.Of("int", "default base", 0L, 10L), ToInteger, "int");
        all.Add(Signature.Of("float", "default", 0.0), ToFloat, "float");
        all.Add(Signature.Of("round", "precision method", 0L, "common"), Round, "round");
        all.Add(Signature.Of("filesizeformat", "binary", false), (r, x, v) => FileSize(r, x, Values.IsTrue(v[0])), "filesizeformat");
        all.Add(Signature.Empty("pprint"), PrettyPrint, "pprint");
    }

    private static object? ToJson(Renderer renderer, object? input, object?[] values)
    {
        string? indent = values[1] is null ? null
            : Values.AsString(values[1]) ?? new string(' ', Math.Clamp(Values.Count(values[1]), 0, renderer.Budget.Limits.MaxTextLength));
        (string, string)? separators = null;
        if (values[2] is not null)
        {
            List<object?> pair = Values.ToList(renderer.Budget, values[2]);
            separators = pair.Count == 2 && Values.AsString(pair[0]) is string item && Values.AsString(pair[1]) is string key
                ? (item, key)
                : throw Faults.Value("separators must be two strings");
        }

        return JsonText.Of(renderer.Budget, input, Values.IsTrue(values[0]), indent, separators, Values.IsTrue(values[3]));
    }

    private static object? Attribute(Renderer renderer, object? input, object?[] values)
    {
        string name = Values.AsString(values[0]) ?? throw Faults.Type("attribute name must be string");
        if (Members.TryAttribute(renderer, input, name, out object? attribute))
        {
            return attribute;
        }

        return input is Undefined undefined ? throw undefined.Fail() : Undefined.Member(input, name);
    }

    private static object? ToInteger(Renderer renderer, object? input, object?[] values)
    {
        if (Values.AsString(input) is string text)
        {
            int radix = Values.Count(values[1]);
            return Numbers.ParseInteger(renderer.Budget, text, radix) is BigInteger n
                ? Values.Integer(n)
                : Truncate(Numbers.ParseFloat(text), values[0], infinityIsError: false);
        }

        return input switch
        {
            double d => Truncate(d, values[0], infinityIsError: true),
            Undefined undefined => throw undefined.Fail(),
            _ => Values.AsInteger(input) is BigInteger n ? Values.Integer(n) : values[0],
        };
    }

    private static object? Truncate(double? value, object? otherwise, bool infinityIsError)
    {
        if (value is double d && double.IsFinite(d))
        {
            return Values.Integer(new BigInteger(d));
        }

        return infinityIsError && value is (double.PositiveInfinity or double.NegativeInfinity)
            ? throw Faults.Overflow("cannot convert float infinity to integer")
            : otherwise;
    }

    private static object? ToFloat(Renderer renderer, object? input, object?[] values) => input switch
    {
        double d => d,
        Undefined undefined => throw undefined.Fail(),
        _ when Values.AsString(input) is string text => Numbers.ParseFloat(text) ?? values[0],
        _ => Values.AsInteger(input) is BigInteger n ? Numbers.ToDouble(n) : values[0],
    };

    private static object? Round(Renderer renderer, object? input, object?[] values)
    {
        string method = Values.AsString(values[1]) ?? "";
        if (method is not ("common" or "ceil" or "floor"))
        {
            throw Faults.Runtime("method must be common, ceil or floor");
        }

        int precision = Values.Count(values[0]);
        if (input is Undefined undefined)
        {
            throw method == "common" ? Faults.Type("type Undefined doesn't define __round__ method") : undefined.Fail();
        }

        if (input is not double && Values.AsInteger(input) is null)
        {
            throw Faults.Type($"type {Values.TypeName(input)} doesn't define __round__ method");
        }

        if (method == "common")
        {
            return input is double d ? Numbers.Round(d, precision) : RoundInteger(renderer, Values.AsInteger(input)!.Value, precision);
        }

        object? scale = Arithmetic.Binary(renderer, "**", 10L, (long)precision);
        object? scaled = Arithmetic.Binary(renderer, "*", input, scale);
        object whole = scaled is double s
            ? double.IsFinite(s)
                ? Values.Integer(new BigInteger(method == "ceil" ? Math.Ceiling(s) : Math.Floor(s)))
                : throw Faults.Overflow("cannot convert float infinity to integer")
            : Values.Integer(Values.AsInteger(scaled)!.Value);
        return Arithmetic.Binary(renderer, "/", whole, scale);
    }

    private static object RoundInteger(Renderer renderer, BigInteger value, int precision)
    {
        if (precision >= 0)
        {
            return Values.Integer(value);
        }

        if (-(long)precision > renderer.Budget.Limits.MaxIntegerBits)
        {
            return 0L;
        }

        BigInteger unit = BigInteger.Pow(10, -precision);
        renderer.Budget.Step(-precision);
        return Values.Integer(Numbers.DivideToEven(value, unit) * unit);
    }

    private static string FileSize(Renderer renderer, object? input, bool binary)
    {
        double bytes = ToFloat(renderer, input, [null]) as double? ?? throw (Values.AsString(input) is string text
            ? Faults.Value($"could not convert string to float: {Repr.Quote(text)}")
            : Faults.Type($"float() argument must be a string or a real number, not '{Values.TypeName(input)}'"));
        double unit = binary ? 1024 : 1000;
        if (bytes == 1)
        {
            return "1 Byte";
        }

        if (bytes < unit)
        {
            return $"{Math.Truncate(bytes).ToString("F0", CultureInfo.InvariantCulture)} Bytes";
        }

        string[] prefixes = binary ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"] : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
        int i = 0;
        double size = unit * unit;
        while (bytes >= size && i < prefixes.Length - 1)
        {
            size *= unit;
            i++;
        }

        return $"{Numbers.Fixed(unit * bytes / size, 1)} {prefixes[i]}";
    }

    // Python breaks what does not fit into 80 columns over several lines; what fits is the repr with sorted keys.
    private static string PrettyPrint(Renderer renderer, object? input, object?[] values)
    {
        string text = Repr.Of(renderer.Budget, Sorted(renderer.Budget, input));
        return PythonText.Length(text) <= 80 || input is not (string or List<object?> or TupleValue or DictValue)
            ? text
            : throw Faults.Unsupported("pprint of values that need more than one line");
    }

    private static object? Sorted(Budget budget, object? value)
    {
        Budget.EnsureStack();
        switch (value)
        {
            case List<object?> list:
                return list.ConvertAll(x => Sorted(budget, x));
            case TupleValue tuple:
                return new TupleValue([.. tuple.Items.Select(x => Sorted(budget, x))]);
            case DictValue dict:
                DictValue sorted = new();
                foreach ((object? key, object? item) in Comparison.Sort(budget, dict.Entries, e => e.Key))
                {
                    sorted.Set(budget, key, Sorted(budget, item));
                }

                return sorted;
            default:
                return value;
        }
    }
}
