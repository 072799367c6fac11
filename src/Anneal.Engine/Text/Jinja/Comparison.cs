using System.Numerics;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's comparisons, membership and stable sort.</summary>
internal static class Comparison
{
    /// <summary><c>a == b</c>.</summary>
    public static bool AreEqual(Budget budget, object? a, object? b)
    {
        budget.Step();
        if (Values.AsString(a) is string left)
        {
            budget.Step(left.Length >> 6);
            return Values.AsString(b) is string right && left == right;
        }

        if (IsNumber(a))
        {
            return IsNumber(b) && CompareNumbers(a!, b!) == 0;
        }

        return (a, b) switch
        {
            (null, null) => true,
            (List<object?> x, List<object?> y) => x.Count == y.Count && AreEqualItems(budget, x, y),
            (TupleValue x, TupleValue y) => x.Count == y.Count && AreEqualItems(budget, x.Items, y.Items),
            (DictValue x, DictValue y) => AreEqualDicts(budget, x, y),
            (RangeValue x, RangeValue y) => x.Count == y.Count
                && (x.Count == 0 || (x.Start == y.Start && (x.Count == 1 || x.Step == y.Step))),
            (BytesValue x, BytesValue y) => x.Bytes.AsSpan().SequenceEqual(y.Bytes),
            (Undefined, Undefined) => true,
            (DictView { TypeName: "dict_keys" } x, DictView { TypeName: "dict_keys" } y) =>
                x.Count == y.Count && x.Dict.Keys.All(k => y.Dict.TryGet(budget, k, out _)),
            _ => ReferenceEquals(a, b),
        };
    }

    /// <summary>The order of two values: negative, zero or positive; null for a comparison with NaN.</summary>
    /// <exception cref="TemplateException">Values of these types have no order.</exception>
    public static int? Order(Budget budget, string sign, object? a, object? b)
    {
        budget.Step();
        if (a is Undefined undefined || (undefined = (b as Undefined)!) is not null)
        {
            throw undefined.Fail();
        }

        if (Values.AsString(a) is string left && Values.AsString(b) is string right)
        {
            budget.Scan(left);
            return PythonText.Compare(left, right);
        }

        if (IsNumber(a) && IsNumber(b))
        {
            return CompareNumbers(a!, b!);
        }

        return (a, b) switch
        {
            (List<object?> x, List<object?> y) => OrderItems(budget, sign, x, y),
            (TupleValue x, TupleValue y) => OrderItems(budget, sign, x.Items, y.Items),
            (BytesValue x, BytesValue y) => x.Bytes.AsSpan().SequenceCompareTo(y.Bytes),
            _ => throw Faults.Type($"'{sign}' not supported between instances of '{Values.TypeName(a)}' and '{Values.TypeName(b)}'"),
        };
    }

    /// <summary>One of <c>&lt;</c>, <c>&lt;=</c>, <c>&gt;</c>, <c>&gt;=</c>.</summary>
    public static bool Holds(Budget budget, string sign, object? a, object? b) => Order(budget, sign, a, b) is int order && sign switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    /// <summary><c>item in container</c>.</summary>
    public static bool Contains(Budget budget, object? container, object? item)
    {
        if (Values.AsString(container) is string text)
        {
            string part = Values.AsString(item)
                ?? throw Faults.Type($"'in <string>' requires string as left operand, not {Values.TypeName(item)}");
            budget.Text(text.Length);
            return text.Contains(part, StringComparison.Ordinal);
        }

        if (container is DictValue dict)
        {
            return dict.TryGet(budget, item, out _);
        }

        if (container is DictView { TypeName: "dict_keys" } keys)
        {
            return keys.Dict.TryGet(budget, item, out _);
        }

        IEnumerable<object?> items = Values.TryIterate(container)
            ?? throw Faults.Type($"argument of type '{Values.TypeName(container)}' is not iterable");
        return items.Any(x => ReferenceEquals(x, item) || AreEqual(budget, x, item));
    }

    /// <summary>A stable sort by a key.</summary>
    public static List<T> Sort<T>(Budget budget, IEnumerable<T> items, Func<T, object?> key, bool reverse = false)
    {
        (T Item, object? Key)[] keyed = [.. items.Select(x => (x, key(x)))];
        budget.Items(keyed.Length);
        MergeSort(budget, keyed, new (T, object?)[keyed.Length], 0, keyed.Length, reverse);
        return [.. keyed.Select(x => x.Item)];
    }

    // Own merge sort: exceptions of the comparison must come through as they are, and equal keys keep their order.
    private static void MergeSort<T>(
        Budget budget, (T Item, object? Key)[] a, (T Item, object? Key)[] spare, int from, int to, bool reverse)
    {
        if (to - from < 2)
        {
            return;
        }

        int middle = (from + to) / 2;
        MergeSort(budget, a, spare, from, middle, reverse);
        MergeSort(budget, a, spare, middle, to, reverse);
        int left = from;
        int right = middle;
        for (int i = from; i < to; i++)
        {
            bool takeRight = right < to && (left >= middle || (reverse
                ? Holds(budget, "<", a[left].Key, a[right].Key)
                : Holds(budget, "<", a[right].Key, a[left].Key)));
            spare[i] = takeRight ? a[right++] : a[left++];
        }

        Array.Copy(spare, from, a, from, to - from);
    }

    private static bool IsNumber(object? value) => value is long or double or bool or BigInteger;

    private static int? CompareNumbers(object a, object b)
    {
        if (a is long x && b is long y)
        {
            return x.CompareTo(y);
        }

        if (a is double || b is double)
        {
            return CompareWithDouble(a, b);
        }

        return Values.AsInteger(a)!.Value.CompareTo(Values.AsInteger(b)!.Value);
    }

    private static int? CompareWithDouble(object a, object b)
    {
        if (a is double x && b is double y)
        {
            return double.IsNaN(x) || double.IsNaN(y) ? null : x.CompareTo(y);
        }

        if (b is not double)
        {
            return -CompareWithDouble(b, a);
        }

        double d = (double)b;
        if (!double.IsFinite(d))
        {
            return double.IsNaN(d) ? null : d > 0 ? -1 : 1;
        }

        // Exact: an integer against the whole part, then against the fraction.
        int whole = Values.AsInteger(a)!.Value.CompareTo(new BigInteger(Math.Floor(d)));
        return whole != 0 ? whole : d > Math.Floor(d) ? -1 : 0;
    }

    private static bool AreEqualItems(Budget budget, IReadOnlyList<object?> a, IReadOnlyList<object?> b)
    {
        budget.Enter();
        bool equal = true;
        for (int i = 0; i < a.Count && equal; i++)
        {
            equal = ReferenceEquals(a[i], b[i]) || AreEqual(budget, a[i], b[i]);
        }

        budget.Leave();
        return equal;
    }

    private static bool AreEqualDicts(Budget budget, DictValue a, DictValue b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        budget.Enter();
        bool equal = a.Entries.All(e => b.TryGet(budget, e.Key, out object? other)
            && (ReferenceEquals(e.Value, other) || AreEqual(budget, e.Value, other)));
        budget.Leave();
        return equal;
    }

    private static int? OrderItems(Budget budget, string sign, IReadOnlyList<object?> a, IReadOnlyList<object?> b)
    {
        for (int i = 0; i < a.Count && i < b.Count; i++)
        {
            if (!ReferenceEquals(a[i], b[i]) && !AreEqual(budget, a[i], b[i]))
            {
                budget.Enter();
                int? order = Order(budget, sign, a[i], b[i]);
                budget.Leave();
                return order;
            }
        }

        return a.Count.CompareTo(b.Count);
    }
}
