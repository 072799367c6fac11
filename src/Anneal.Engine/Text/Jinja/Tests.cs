using System.Collections.Frozen;
using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>The tests behind <c>is</c>, by name.</summary>
internal static class Tests
{
    private delegate bool TestBody(Renderer renderer, object? value, object?[] values);

    private static readonly FrozenDictionary<string, (Signature Signature, TestBody Body)> All = Create().ToFrozenDictionary();

    public static bool Exists(string name) => All.ContainsKey(name);

    /// <exception cref="TemplateException">There is no such test, or it cannot be asked of this value.</exception>
    public static object Apply(Renderer renderer, string name, object? value, Arguments arguments)
    {
        renderer.Budget.Step();
        return All.TryGetValue(name, out (Signature Signature, TestBody Body) test)
            ? test.Body(renderer, value, test.Signature.Bind(arguments))
            : throw Faults.Runtime($"No test named '{name}'.");
    }

    private static Dictionary<string, (Signature, TestBody)> Create()
    {
        Dictionary<string, (Signature, TestBody)> all = [];
        AddKinds(all);
        AddComparisons(all);
        AddNumbers(all);
        Add(all, "lower", "", (r, x, _) => StringMethods.IsLower(Values.ToText(r.Budget, x)));
        Add(all, "upper", "", (r, x, _) => StringMethods.IsUpper(Values.ToText(r.Budget, x)));
        Add(all, "filter", "", (r, x, _) => IsKey(r, x) && Values.AsString(x) is string name && Filters.Exists(name));
        Add(all, "test", "", (r, x, _) => IsKey(r, x) && Values.AsString(x) is string name && Exists(name));
        return all;
    }

    private static void AddKinds(Dictionary<string, (Signature, TestBody)> all)
    {
        Add(all, "defined", "", (_, x, _) => x is not Undefined);
        Add(all, "undefined", "", (_, x, _) => x is Undefined);
        Add(all, "none", "", (_, x, _) => x is null);
        Add(all, "boolean", "", (_, x, _) => x is bool);
        Add(all, "true", "", (_, x, _) => x is true);
        Add(all, "false", "", (_, x, _) => x is false);
        Add(all, "integer", "", (_, x, _) => x is long or BigInteger);
        Add(all, "float", "", (_, x, _) => x is double);
        Add(all, "number", "", (_, x, _) => x is long or BigInteger or double or bool);
        Add(all, "string", "", (_, x, _) => x is string or Markup);
        Add(all, "mapping", "", (_, x, _) => x is DictValue);
        Add(all, "sequence", "", (_, x, _) => Slices.IsSequence(x) || x is DictValue or Undefined);
        Add(all, "iterable", "", (_, x, _) => Values.TryIterate(x) is not null || x is LoopValue);
        Add(all, "callable", "", (_, x, _) => x is ICallable or Undefined);
        Add(all, "escaped", "", (_, x, _) => x is Markup);
    }

    private static void AddComparisons(Dictionary<string, (Signature, TestBody)> all)
    {
        foreach (string name in (string[])["eq", "equalto", "=="])
        {
            Add(all, name, "other", (r, x, v) => Comparison.AreEqual(r.Budget, x, v[0]));
        }

        foreach (string name in (string[])["ne", "!="])
        {
            Add(all, name, "other", (r, x, v) => !Comparison.AreEqual(r.Budget, x, v[0]));
        }

        foreach ((string sign, string[] names) in ((string, string[])[])
            [("<", ["lt", "lessthan", "<"]), ("<=", ["le", "<="]), (">", ["gt", "greaterthan", ">"]), (">=", ["ge", ">="])])
        {
            foreach (string name in names)
            {
                Add(all, name, "other", (r, x, v) => Comparison.Holds(r.Budget, sign, x, v[0]));
            }
        }

        Add(all, "in", "seq", (r, x, v) => Comparison.Contains(r.Budget, v[0], x));
        Add(all, "sameas", "other", (_, x, v) => AreSame(x, v[0]));
    }

    private static void AddNumbers(Dictionary<string, (Signature, TestBody)> all)
    {
        Add(all, "odd", "", (r, x, _) => Comparison.AreEqual(r.Budget, Arithmetic.Binary(r, "%", x, 2L), 1L));
        Add(all, "even", "", (r, x, _) => Comparison.AreEqual(r.Budget, Arithmetic.Binary(r, "%", x, 2L), 0L));
        Add(all, "divisibleby", "num", (r, x, v) => Comparison.AreEqual(r.Budget, Arithmetic.Binary(r, "%", x, v[0]), 0L));
    }

    private static bool IsKey(Renderer renderer, object? value)
    {
        KeyComparer.RequireHashable(renderer.Budget, value);
        return true;
    }

    // Values without an identity of their own are the same when they are equal and of one type.
    private static bool AreSame(object? a, object? b) => (a, b) switch
    {
        (bool x, bool y) => x == y,
        (long x, long y) => x == y,
        (string x, string y) => x == y,
        _ => ReferenceEquals(a, b),
    };

    private static void Add(Dictionary<string, (Signature, TestBody)> all, string name, string parameters, TestBody body) =>
        all[name] = (Signature.Positional(name, parameters), body);
}
