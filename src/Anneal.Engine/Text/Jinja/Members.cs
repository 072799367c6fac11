using System.Collections.Frozen;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>A method: what it is called with, and what it does with its receiver.</summary>
internal sealed record Method(Signature? Signature, Func<Renderer, object?, Arguments, object?[], object?> Body)
{
    public FunctionValue Bind(string name, object? self) => new(
        name, (renderer, arguments) => Body(renderer, self, arguments, Signature?.Bind(arguments) ?? []));
}

/// <summary>
/// Attributes and elements. <c>a.b</c> looks for an attribute first and then for a key, <c>a['b']</c> the other way round.
/// Only what is listed here can be reached: there is no reflection.
/// </summary>
internal static class Members
{
    private static readonly FrozenSet<string> ChangeList =
        FrozenSet.ToFrozenSet(["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"]);

    private static readonly FrozenSet<string> ChangeDict = FrozenSet.ToFrozenSet(["clear", "pop", "popitem", "setdefault", "update"]);

    // What every Python object has. They print as nothing and may not be used.
    private static readonly FrozenSet<string> Internals = FrozenSet.ToFrozenSet(
    [
        "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__", "__getstate__",
        "__gt__", "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__", "__new__", "__reduce__",
        "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__", "__str__", "__subclasshook__",
    ]);

    private static readonly FrozenSet<string> ContainerInternals = FrozenSet.ToFrozenSet(
    [
        "__contains__", "__getitem__", "__iter__", "__len__", "__add__", "__mul__", "__rmul__", "__mod__", "__rmod__",
        "__reversed__", "__setitem__", "__delitem__", "__iadd__", "__imul__", "__or__", "__ior__", "__ror__", "__class_getitem__",
        "__getnewargs__", "__bool__", "__int__", "__float__", "__index__", "__neg__", "__pos__", "__abs__", "__sub__", "__call__",
        "__globals__", "__code__", "__closure__", "__self__", "__func__", "__module__", "__name__", "__qualname__", "__dict__",
        "__weakref__", "__wrapped__", "__defaults__", "__kwdefaults__", "__annotations__", "__get__", "__html__",
    ]);

    private static readonly FrozenDictionary<string, Method> OfDict = new Dictionary<string, Method>
    {
        ["get"] = new(Signature.Positional("get", "key default", [null]), (r, d, _, v) =>
            ((DictValue)d!).TryGet(r.Budget, v[0], out object? found) ? found : v[1]),
        ["keys"] = new(Signature.Empty("keys"), (_, d, _, _) => new DictView((DictValue)d!, "dict_keys")),
        ["values"] = new(Signature.Empty("values"), (_, d, _, _) => new DictView((DictValue)d!, "dict_values")),
        ["items"] = new(Signature.Empty("items"), (_, d, _, _) => new DictView((DictValue)d!, "dict_items")),
        ["copy"] = new(Signature.Empty("copy"), (r, d, _, _) => Copy(r, (DictValue)d!)),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Method> OfSequence = new Dictionary<string, Method>
    {
        ["count"] = new(Signature.Positional("count", "value"), (r, s, _, v) =>
            (long)Values.Iterate(s).Count(x => Comparison.AreEqual(r.Budget, x, v[0]))),
        ["index"] = new(Signature.Positional("index", "value start stop", [0L, (long)int.MaxValue]), (r, s, _, v) => IndexOf(r, s, v)),
    }.ToFrozenDictionary();

    private static readonly Method CopyList = new(
        Signature.Empty("copy"), (r, list, _, _) => Values.ToList(r.Budget, list));

    private static readonly Method Decode = new(
        Signature.Of("decode", "encoding errors", "utf-8", "strict"), (_, b, _, _) => System.Text.Encoding.UTF8.GetString(((BytesValue)b!).Bytes));

    /// <summary><c>value.name</c>.</summary>
    public static object? Attribute(Renderer renderer, object? value, string name)
    {
        if (TryAttribute(renderer, value, name, out object? attribute))
        {
            return attribute;
        }

        return value switch
        {
            DictValue dict when dict.TryGet(name, out object? found) => found,
            Undefined undefined => throw undefined.Fail(),
            _ => Undefined.Member(value, name),
        };
    }

    /// <summary><c>value[index]</c>.</summary>
    public static object? Item(Renderer renderer, object? value, object? index)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Fail();
        }

        if (value is DictValue dict)
        {
            if (index is not (List<object?> or DictValue) && dict.TryGet(renderer.Budget, index, out object? found))
            {
                return found;
            }
        }
        else if (Slices.IsSequence(value) && Scanned(renderer.Budget, value)
            && Values.AsInteger(index) is BigInteger n && Slices.TryAt(value, n, out object? item))
        {
            return item;
        }

        return Values.AsString(index) is string name && TryAttribute(renderer, value, name, out object? attribute)
            ? attribute
            : Undefined.Member(value, index is Markup markup ? markup.Text : index);
    }

    /// <summary>An attribute proper, without a look at the keys. Hidden ones give an undefined value that may not be used.</summary>
    public static bool TryAttribute(Renderer renderer, object? value, string name, out object? attribute)
    {
        if (name.StartsWith('_'))
        {
            bool exists = Internals.Contains(name) || (ContainerInternals.Contains(name) && value is not (null or Undefined));
            attribute = exists ? Undefined.Unsafe(value, name) : null;
            return exists;
        }

        if ((value is List<object?> && ChangeList.Contains(name)) || (value is DictValue && ChangeDict.Contains(name)))
        {
            attribute = Undefined.Unsafe(value, name);
            return true;
        }

        if (MethodOf(value, name) is Method method)
        {
            attribute = method.Bind(name, value);
            return true;
        }

        return TryField(renderer, value, name, out attribute);
    }

    // Finding a place in a text means counting its code points from the start.
    private static bool Scanned(Budget budget, object? value)
    {
        if (Values.AsString(value) is string text)
        {
            budget.Scan(text);
        }

        return true;
    }

    private static Method? MethodOf(object? value, string name)
    {
        FrozenDictionary<string, Method>? methods = value switch
        {
            string or Markup => StringMethods.All,
            DictValue => OfDict,
            List<object?> or TupleValue or RangeValue => OfSequence,
            _ => null,
        };
        if (methods is not null && methods.TryGetValue(name, out Method? method))
        {
            return method;
        }

        return (value, name) switch
        {
            (List<object?>, "copy") => CopyList,
            (BytesValue, "decode") => Decode,
            _ => null,
        };
    }

    private static bool TryField(Renderer renderer, object? value, string name, out object? field)
    {
        object? found = value switch
        {
            NamespaceValue ns => ns.Attributes.TryGet(name, out object? attribute) ? attribute : Missing,
            LoopValue loop => OfLoop(renderer, loop, name),
            MacroValue macro => OfMacro(macro, name),
            TupleValue { FieldNames: string[] names } tuple when Array.IndexOf(names, name) is >= 0 and int i => tuple.Items[i],
            RangeValue range => name switch
            {
                "start" => Values.Integer(range.Start),
                "stop" => Values.Integer(range.Stop),
                "step" => Values.Integer(range.Step),
                _ => Missing,
            },
            CyclerValue cycler => OfCycler(cycler, name),
            JoinerValue joiner => name switch { "sep" => joiner.Separator, "used" => joiner.Used, _ => Missing },
            double d => OfFloat(d, name),
            bool or long or BigInteger => OfInteger(Values.AsInteger(value)!.Value, name),
            _ => Missing,
        };
        field = found;
        return !ReferenceEquals(found, Missing);
    }

    private static readonly object Missing = new();

    private static object? OfLoop(Renderer renderer, LoopValue loop, string name) => name switch
    {
        "index" => (long)loop.Index0 + 1,
        "index0" => (long)loop.Index0,
        "first" => loop.Index0 == 0,
        "last" => !loop.Peek(out _),
        "length" => (long)loop.Length(renderer.Budget),
        "revindex" => (long)loop.Length(renderer.Budget) - loop.Index0,
        "revindex0" => (long)loop.Length(renderer.Budget) - loop.Index0 - 1,
        "previtem" => loop.Index0 > 0 ? loop.Previous : Undefined.Because("there is no previous item"),
        "nextitem" => loop.Peek(out object? next) ? next : Undefined.Because("there is no next item"),
        "depth" => (long)loop.Depth0 + 1,
        "depth0" => (long)loop.Depth0,
        "cycle" => new FunctionValue("cycle", (_, a) => a.Positional.Length > 0
            ? a.Positional[loop.Index0 % a.Positional.Length]
            : throw Faults.Type("no items for cycling given")),
        "changed" => new FunctionValue("changed", (r, a) => loop.Changed(r.Budget, a.Positional)),
        _ => Missing,
    };

    private static object? OfMacro(MacroValue macro, string name) => name switch
    {
        "name" => macro.Name,
        "arguments" => new List<object?>(macro.Definition.Parameters.Select(p => p.Id)),
        "catch_kwargs" => macro.Definition.TakesMoreNamed,
        "catch_varargs" => macro.Definition.TakesMore,
        "caller" => macro.Definition.UsesCaller,
        "explicit_caller" => macro.Definition.HasCallerParameter,
        _ => Missing,
    };

    private static object? OfCycler(CyclerValue cycler, string name) => name switch
    {
        "current" => cycler.Current,
        "pos" => (long)cycler.Position,
        "items" => new TupleValue(cycler.Items),
        "next" => new FunctionValue("next", (_, _) => cycler.Next()),
        "reset" => new FunctionValue("reset", (_, _) =>
        {
            cycler.Reset();
            return null;
        }),
        _ => Missing,
    };

    private static object? OfInteger(BigInteger n, string name) => name switch
    {
        "real" or "numerator" => Values.Integer(n),
        "imag" => 0L,
        "denominator" => 1L,
        "conjugate" => new FunctionValue(name, (_, _) => Values.Integer(n)),
        "bit_length" => new FunctionValue(name, (_, _) => n.IsZero ? 0L : BigInteger.Abs(n).GetBitLength()),
        "bit_count" => new FunctionValue(name, (_, _) => (long)BigInteger.Abs(n).ToByteArray().Sum(b => BitOperations.PopCount(b))),
        _ => Missing,
    };

    private static object? OfFloat(double d, string name) => name switch
    {
        "real" => d,
        "imag" => 0.0,
        "conjugate" => new FunctionValue(name, (_, _) => d),
        "is_integer" => new FunctionValue(name, (_, _) => double.IsFinite(d) && Math.Floor(d) == d),
        _ => Missing,
    };

    private static DictValue Copy(Renderer renderer, DictValue dict)
    {
        renderer.Budget.Items(dict.Count);
        return dict.Copy();
    }

    private static long IndexOf(Renderer renderer, object? sequence, object?[] values)
    {
        int count = Values.Length(sequence)!.Value;
        int start = Bound(values[1]);
        int stop = Bound(values[2]);
        for (int i = start; i < stop; i++)
        {
            Slices.TryAt(sequence, i, out object? item);
            if (Comparison.AreEqual(renderer.Budget, item, values[0]))
            {
                return i;
            }
        }

        throw Faults.Value($"{Values.ToText(renderer.Budget, values[0])} is not in {Values.TypeName(sequence)}");

        int Bound(object? value)
        {
            int n = Values.Count(value);
            return Math.Clamp(n < 0 ? n + count : n, 0, count);
        }
    }
}
