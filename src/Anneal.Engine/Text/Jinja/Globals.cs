using System.Collections.Frozen;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>The functions that every chat template can call.</summary>
internal static class Globals
{
    private static readonly Signature DateFormat = Signature.Of("strftime_now", "format");
    private static readonly Signature Message = Signature.Of("raise_exception", "message");
    private static readonly Signature Separator = Signature.Of("joiner", "sep", ", ");

    private static readonly FrozenDictionary<string, object?> All = new Dictionary<string, object?>
    {
        ["range"] = new FunctionValue("range", MakeRange, "function"),
        ["dict"] = new FunctionValue("dict", (r, a) => MakeDict(r.Budget, "dict", a), "type"),
        ["namespace"] = new FunctionValue("namespace", MakeNamespace, "type"),
        ["cycler"] = new FunctionValue("cycler", MakeCycler, "type"),
        ["joiner"] = new FunctionValue("joiner", (_, a) => new JoinerValue(Separator.Bind(a)[0]), "type"),
        ["lipsum"] = new FunctionValue("lipsum", (_, _) => throw Faults.Unsupported("lipsum(): its text is random"), "function"),
        ["raise_exception"] = new FunctionValue(
            "raise_exception", (r, a) => throw new TemplateException(TemplateFault.Raised, Values.ToText(r.Budget, Message.Bind(a)[0])), "function"),
        ["strftime_now"] = new FunctionValue("strftime_now", (r, a) => Now(r, DateFormat.Bind(a)[0]), "function"),
    }.ToFrozenDictionary();

    public static bool TryGet(string name, out object? value) => All.TryGetValue(name, out value);

    private static string Now(Renderer renderer, object? format) => Strftime.Format(
        renderer.Budget, renderer.Now, Values.AsString(format) ?? throw Faults.Type($"strftime() argument 1 must be str, not {Values.TypeName(format)}"));

    private static RangeValue MakeRange(Renderer renderer, Arguments arguments)
    {
        if (arguments.Named is { Count: > 0 })
        {
            throw Faults.Type("range() takes no keyword arguments");
        }

        BigInteger[] bounds = [.. arguments.Positional.Select(x => Values.AsInteger(x)
            ?? throw Faults.Type($"'{Values.TypeName(x)}' object cannot be interpreted as an integer"))];
        if (bounds.Length is 0 or > 3)
        {
            throw Faults.Type($"range expected {(bounds.Length == 0 ? "at least 1 argument" : "at most 3 arguments")}, got {bounds.Length}");
        }

        BigInteger start = bounds.Length > 1 ? bounds[0] : 0;
        BigInteger stop = bounds.Length > 1 ? bounds[1] : bounds[0];
        BigInteger step = bounds.Length > 2 ? bounds[2] : 1;
        if (step.IsZero)
        {
            throw Faults.Value("range() arg 3 must not be zero");
        }

        BigInteger count = RangeValue.CountOf(start, stop, step);
        return count <= renderer.Budget.Limits.MaxRange
            ? new RangeValue(start, stop, step, (int)count)
            : throw Budget.Limit($"range too big; the sandbox blocks ranges of more than {renderer.Budget.Limits.MaxRange} elements");
    }

    private static DictValue MakeDict(Budget budget, string function, Arguments arguments)
    {
        DictValue dict = new();
        if (arguments.Positional.Length > 1)
        {
            throw Faults.Type($"{function} expected at most 1 argument, got {arguments.Positional.Length}");
        }

        if (arguments.Positional is [DictValue source])
        {
            budget.Items(source.Count);
            dict = source.Copy();
        }
        else if (arguments.Positional is [object pairs])
        {
            foreach (object? pair in Values.Iterate(pairs))
            {
                List<object?> entry = Values.ToList(budget, pair);
                if (entry.Count != 2)
                {
                    throw Faults.Value($"dictionary update sequence element has length {entry.Count}; 2 is required");
                }

                dict.Set(budget, entry[0], entry[1]);
            }
        }
        else if (arguments.Positional is [null])
        {
            throw Faults.NotIterable(null);
        }

        foreach ((object? key, object? value) in arguments.Named?.Entries ?? [])
        {
            dict.Set(budget, key, value);
        }

        return dict;
    }

    private static NamespaceValue MakeNamespace(Renderer renderer, Arguments arguments)
    {
        NamespaceValue ns = new();
        foreach ((object? key, object? value) in MakeDict(renderer.Budget, "namespace", arguments).Entries)
        {
            if (Values.AsString(key) is string name)
            {
                ns.Set(renderer.Budget, name, value);
            }
        }

        return ns;
    }

    private static CyclerValue MakeCycler(Renderer renderer, Arguments arguments) =>
        arguments.Positional.Length > 0 && arguments.Named is null
            ? new CyclerValue(arguments.Positional)
            : throw Faults.Runtime("at least one item has to be provided");
}
