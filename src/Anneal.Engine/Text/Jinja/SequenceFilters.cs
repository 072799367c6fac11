using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Filters on lists, dictionaries and other iterables. Those that give a generator compute each item when it is asked for.</summary>
internal static class SequenceFilters
{
    public static void AddTo(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        AddElements(all);
        AddOrders(all);
        AddShapes(all);
        all["map"] = Map;
        all["select"] = (r, x, a) => Choose(r, x, a, keep: true, byAttribute: false);
        all["reject"] = (r, x, a) => Choose(r, x, a, keep: false, byAttribute: false);
        all["selectattr"] = (r, x, a) => Choose(r, x, a, keep: true, byAttribute: true);
        all["rejectattr"] = (r, x, a) => Choose(r, x, a, keep: false, byAttribute: true);
    }

    private static void AddElements(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        all.Add(Signature.Empty("length"), (r, x, _) =>
            (long)(Values.Length(Scanned(r.Budget, x)) ?? throw Faults.Type($"object of type '{Values.TypeName(x)}' has no len()")), "length", "count");
        all.Add(Signature.Empty("first"), (_, x, _) => Values.Iterate(x).DefaultIfEmpty(NoItem("first")).First(), "first");
        all.Add(Signature.Empty("last"), (r, x, _) => Reversed(r.Budget, x, strict: true).DefaultIfEmpty(NoItem("last")).First(), "last");
        all.Add(Signature.Empty("random"), Random, "random");
        all.Add(Signature.Of("min", "case_sensitive attribute", false, null), (r, x, v) => Extreme(r, x, v, "<"), "min");
        all.Add(Signature.Of("max", "case_sensitive attribute", false, null), (r, x, v) => Extreme(r, x, v, ">"), "max");
        all.Add(Signature.Of("sum", "attribute start", null, 0L), Sum, "sum");
        all.Add(Signature.Of("join", "d attribute", "", null), Join, "join");
    }

    private static void AddOrders(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        all.Add(Signature.Of("sort", "reverse case_sensitive attribute", false, false, null), (r, x, v) =>
            Comparison.Sort(r.Budget, Values.Iterate(x), Keys(r, v[2], Values.IsTrue(v[1])), Values.IsTrue(v[0])), "sort");
        all.Add(Signature.Of("unique", "case_sensitive attribute", false, null), (r, x, v) =>
            new GeneratorValue(Unique(r, Values.Iterate(x), Key(r, v[1], Values.IsTrue(v[0])))), "unique");
        all.Add(Signature.Of("dictsort", "case_sensitive by reverse", false, "key", false), DictSort, "dictsort");
        all.Add(Signature.Of("groupby", "attribute default case_sensitive", null, false), GroupBy, "groupby");
        all.Add(Signature.Empty("reverse"), (r, x, _) => Reverse(r.Budget, x), "reverse");
    }

    private static void AddShapes(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        all.Add(Signature.Empty("list"), (r, x, _) => Values.ToList(r.Budget, x), "list");
        all.Add(Signature.Empty("items"), (_, x, _) => new GeneratorValue(Items(x)), "items");
        all.Add(Signature.Of("batch", "linecount fill_with", [null]), (r, x, v) =>
            new GeneratorValue(Batches(r.Budget, Values.Iterate(x), Values.Count(v[0]), v[1])), "batch");
        all.Add(Signature.Of("slice", "slices fill_with", [null]), (r, x, v) =>
            new GeneratorValue(Parts(r.Budget, x, Values.Count(v[0]), v[1])), "slice");
    }

    private static object? Scanned(Budget budget, object? value)
    {
        if (Values.AsString(value) is string text)
        {
            budget.Scan(text);
        }

        return value;
    }

    private static Undefined NoItem(string which) => Undefined.Because($"No {which} item, sequence was empty.");

    // A template that asks for a random item gets the same one each time: renderings must be reproducible.
    private static object? Random(Renderer renderer, object? input, object?[] values)
    {
        int count = Values.Length(input) ?? throw Faults.Type($"object of type '{Values.TypeName(input)}' has no len()");
        return count == 0 ? NoItem("random") : Slices.IsSequence(input) && Slices.TryAt(input, (count - 1) / 2, out object? item)
            ? item
            : throw Faults.Type($"'{Values.TypeName(input)}' object is not a sequence");
    }

    private static object? Extreme(Renderer renderer, object? input, object?[] values, string sign)
    {
        Func<object?, object?> key = Key(renderer, values[1], Values.IsTrue(values[0]));
        object? best = null;
        object? bestKey = null;
        bool any = false;
        foreach (object? item in Values.Iterate(input))
        {
            object? itemKey = key(item);
            if (!any || Comparison.Holds(renderer.Budget, sign, itemKey, bestKey))
            {
                (best, bestKey, any) = (item, itemKey, true);
            }
        }

        return any ? best : Undefined.Because("No aggregated item, sequence was empty.");
    }

    private static object? Sum(Renderer renderer, object? input, object?[] values)
    {
        Func<object?, object?> item = values[0] is null ? x => x : Key(renderer, values[0], caseSensitive: true);
        if (Values.AsString(values[1]) is not null)
        {
            throw Faults.Type("sum() can't sum strings [use ''.join(seq) instead]");
        }

        return Values.Iterate(input).Aggregate(values[1], (sum, x) =>
        {
            renderer.Budget.Step();
            return Arithmetic.Binary(renderer, "+", sum, item(x));
        });
    }

    private static object? Join(Renderer renderer, object? input, object?[] values)
    {
        Budget budget = renderer.Budget;
        Func<object?, object?> item = values[1] is null ? x => x : Key(renderer, values[1], caseSensitive: true);
        List<object?> items = Values.ToList(budget, input).ConvertAll(x => item(x));
        bool escape = renderer.AutoEscape && (values[0] is Markup || items.Exists(x => x is Markup));
        string[] texts = [.. items.Select(x => escape ? Markup.Escape(budget, x) : Values.ToText(budget, x))];
        string separator = escape ? Markup.Escape(budget, values[0]) : Values.ToText(budget, values[0]);
        budget.Text(texts.Sum(t => (long)t.Length) + ((long)separator.Length * texts.Length));
        string joined = string.Join(separator, texts);
        return escape ? new Markup(joined) : joined;
    }

    private static IEnumerable<object?> Unique(Renderer renderer, IEnumerable<object?> items, Func<object?, object?> key)
    {
        DictValue seen = new();
        foreach (object? item in items)
        {
            object? itemKey = key(item);
            if (!seen.TryGet(renderer.Budget, itemKey, out _))
            {
                seen.Set(renderer.Budget, itemKey, true);
                yield return item;
            }
        }
    }

    private static object? DictSort(Renderer renderer, object? input, object?[] values)
    {
        DictValue dict = input as DictValue ?? throw (input is Undefined undefined
            ? undefined.Fail()
            : Faults.Type($"'{Values.TypeName(input)}' object has no attribute 'items'"));
        bool byValue = Values.AsString(values[1]) switch
        {
            "key" => false,
            "value" => true,
            _ => throw Faults.Runtime("You can only sort by either \"key\" or \"value\""),
        };
        bool caseSensitive = Values.IsTrue(values[0]);
        return Comparison.Sort(renderer.Budget, dict.Items, x => Fold(((TupleValue)x!).Items[byValue ? 1 : 0], caseSensitive), Values.IsTrue(values[2]));
    }

    private static object? GroupBy(Renderer renderer, object? input, object?[] values)
    {
        bool caseSensitive = Values.IsTrue(values[2]);
        Func<object?, object?> exact = Key(renderer, values[0], caseSensitive: true, values[1]);
        Func<object?, object?> key = x => Fold(exact(x), caseSensitive);
        List<object?> groups = [];
        List<object?>? current = null;
        object? currentKey = null;
        foreach (object? item in Comparison.Sort(renderer.Budget, Values.Iterate(input), key))
        {
            object? itemKey = key(item);
            if (current is null || !Comparison.AreEqual(renderer.Budget, currentKey, itemKey))
            {
                (current, currentKey) = ([], itemKey);
                groups.Add(new TupleValue(exact(item), current) { FieldNames = ["grouper", "list"] });
            }

            current.Add(item);
        }

        return groups;
    }

    private static object? Reverse(Budget budget, object? input) => input switch
    {
        string or Markup => Slices.Take(budget, input, (null, null, -1L)),
        GeneratorValue => Enumerable.Reverse(Values.ToList(budget, input)).ToList(),
        _ => Values.TryIterate(input) is null
            ? throw Faults.Runtime("argument must be iterable")
            : new GeneratorValue(Reversed(budget, input, strict: false), "reverse_iterator"),
    };

    private static IEnumerable<object?> Reversed(Budget budget, object? value, bool strict) => value is GeneratorValue && strict
        ? throw Faults.Type($"'{Values.TypeName(value)}' object is not reversible")
        : Enumerable.Reverse(Values.ToList(budget, value));

    private static IEnumerable<object?> Items(object? value)
    {
        if (value is Undefined)
        {
            yield break;
        }

        foreach (object? item in (value as DictValue ?? throw Faults.Type("Can only get item pairs from a mapping.")).Items)
        {
            yield return item;
        }
    }

    private static IEnumerable<object?> Batches(Budget budget, IEnumerable<object?> items, int size, object? fill)
    {
        List<object?> batch = [];
        foreach (object? item in items)
        {
            if (batch.Count == size)
            {
                yield return batch;
                batch = [];
            }

            batch.Add(item);
        }

        if (batch.Count > 0)
        {
            if (fill is not null && batch.Count < size)
            {
                budget.Items(size);
                batch.AddRange(Enumerable.Repeat(fill, size - batch.Count));
            }

            yield return batch;
        }
    }

    private static IEnumerable<object?> Parts(Budget budget, object? input, int count, object? fill)
    {
        List<object?> items = Values.ToList(budget, input);
        if (count == 0)
        {
            throw Faults.ZeroDivision("integer division or modulo by zero");
        }

        int size = items.Count / Math.Max(1, count);
        int longer = items.Count % Math.Max(1, count);
        for (int i = 0, at = 0; i < count; i++)
        {
            int length = size + (i < longer ? 1 : 0);
            List<object?> part = items.GetRange(at, length);
            at += length;
            if (fill is not null && i >= longer)
            {
                part.Add(fill);
            }

            budget.Step();
            yield return part;
        }
    }

    private static GeneratorValue Map(Renderer renderer, object? input, Arguments arguments)
    {
        // The parameters are looked at when the first item is asked for, and not at all for an empty input.
        return new GeneratorValue(Mapped());

        IEnumerable<object?> Mapped()
        {
            if (!Values.IsTrue(input))
            {
                yield break;
            }

            Func<object?, object?> map = Mapping(renderer, arguments);
            foreach (object? item in Values.Iterate(input))
            {
                renderer.Budget.Step();
                yield return map(item);
            }
        }
    }

    private static Func<object?, object?> Mapping(Renderer renderer, Arguments arguments)
    {
        if (arguments.Positional.Length == 0 && arguments.Named?.TryGet("attribute", out object? attribute) == true)
        {
            arguments.Named.TryGet("default", out object? otherwise);
            string? unknown = arguments.Named.Keys.Cast<string>().FirstOrDefault(k => k is not ("attribute" or "default"));
            return unknown is null
                ? Key(renderer, attribute, caseSensitive: true, otherwise)
                : throw Faults.Runtime($"Unexpected keyword argument '{unknown}'");
        }

        if (arguments.Positional.Length == 0)
        {
            throw Faults.Runtime("map requires a filter argument");
        }

        string name = NameOf(renderer, arguments.Positional[0], "filter");
        Arguments rest = arguments.Skip(1);
        return x => Filters.Apply(renderer, name, x, rest);
    }

    private static GeneratorValue Choose(Renderer renderer, object? input, Arguments arguments, bool keep, bool byAttribute)
    {
        return new GeneratorValue(Chosen());

        IEnumerable<object?> Chosen()
        {
            if (!Values.IsTrue(input))
            {
                yield break;
            }

            Func<object?, bool> test = Choice(renderer, arguments, byAttribute);
            foreach (object? item in Values.Iterate(input))
            {
                renderer.Budget.Step();
                if (test(item) == keep)
                {
                    yield return item;
                }
            }
        }
    }

    private static Func<object?, bool> Choice(Renderer renderer, Arguments arguments, bool byAttribute)
    {
        if (byAttribute && arguments.Positional.Length == 0)
        {
            throw Faults.Runtime("Missing parameter for attribute name");
        }

        Func<object?, object?> of = byAttribute ? Key(renderer, arguments.Positional[0], caseSensitive: true) : x => x;
        Arguments rest = arguments.Skip(byAttribute ? 1 : 0);
        if (rest.Positional.Length == 0)
        {
            return x => Values.IsTrue(of(x));
        }

        string name = NameOf(renderer, rest.Positional[0], "test");
        Arguments parameters = rest.Skip(1);
        return x => Values.IsTrue(Tests.Apply(renderer, name, of(x), parameters));
    }

    private static string NameOf(Renderer renderer, object? value, string kind) => Values.AsString(value)
        ?? throw Faults.Runtime(
            $"No {kind} named {Repr.Of(renderer.Budget, value)}."
            + (value is Undefined ? $" Did you forget to quote the name of the {kind}?" : ""));

    private static object? Fold(object? value, bool caseSensitive) =>
        !caseSensitive && Values.AsString(value) is string text ? PythonText.Lower(text) : value;

    // A function that follows a path like "job.post" or "names.0" from an item.
    private static Func<object?, object?> Key(Renderer renderer, object? attribute, bool caseSensitive, object? otherwise = null)
    {
        object?[] path = Path(attribute);
        return item =>
        {
            foreach (object? part in path)
            {
                item = Members.Item(renderer, item, part);
                if (item is Undefined && otherwise is not null)
                {
                    item = otherwise;
                }
            }

            return Fold(item, caseSensitive);
        };
    }

    // The same for several paths with commas between them; the keys come as a list.
    private static Func<object?, object?> Keys(Renderer renderer, object? attribute, bool caseSensitive)
    {
        object?[] attributes = Values.AsString(attribute) is string text ? text.Split(',') : [attribute];
        Func<object?, object?>[] keys = [.. attributes.Select(a => Key(renderer, a, caseSensitive))];
        return item => new List<object?>(keys.Select(k => k(item)));
    }

    private static object?[] Path(object? attribute)
    {
        if (attribute is null)
        {
            return [];
        }

        return Values.AsString(attribute) is string text
            ? [.. text.Split('.').Select(p => p.Length > 0 && p.All(char.IsAsciiDigit)
                ? Values.Integer(BigInteger.Parse(p, System.Globalization.CultureInfo.InvariantCulture))
                : (object?)p)]
            : [attribute];
    }
}
