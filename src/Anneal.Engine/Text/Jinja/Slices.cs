using System.Numerics;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Indices and slices of sequences; those of text count code points.</summary>
internal static class Slices
{
    /// <summary>The element at an index that may count from the end; false beyond either end.</summary>
    public static bool TryAt(object? sequence, BigInteger index, out object? item)
    {
        int count = Values.Length(sequence)!.Value;
        BigInteger at = index.Sign < 0 ? index + count : index;
        item = null;
        if (at < 0 || at >= count)
        {
            return false;
        }

        int i = (int)at;
        item = sequence switch
        {
            List<object?> list => list[i],
            TupleValue tuple => tuple.Items[i],
            RangeValue range => range[i],
            BytesValue bytes => (long)bytes.Bytes[i],
            Markup markup => new Markup(Character(markup.Text, i)),
            string text => Character(text, i),
            _ => throw new InvalidOperationException(),
        };
        return true;
    }

    /// <summary>Whether integers index this value.</summary>
    public static bool IsSequence(object? value) => value is List<object?> or string or TupleValue or Markup or RangeValue or BytesValue;

    /// <summary><c>value[start:stop:step]</c>.</summary>
    public static object? Take(Budget budget, object? value, (object? Start, object? Stop, object? Step) bounds)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Fail();
        }

        if (!IsSequence(value))
        {
            throw Faults.Type(value is DictValue ? "unhashable type: 'slice'" : $"'{Values.TypeName(value)}' object is not subscriptable");
        }

        if (Values.AsString(value) is string scanned)
        {
            budget.Scan(scanned);
        }

        int length = Values.Length(value)!.Value;
        (BigInteger start, BigInteger step, int count) = Resolve(bounds, length);
        budget.Items(count);
        if (value is RangeValue range)
        {
            return new RangeValue(range.Start + (start * range.Step), range.Start + ((start + (step * count)) * range.Step), range.Step * step, count);
        }

        if (Values.AsString(value) is string text)
        {
            string part = TakeText(text, length, (int)start, step, count);
            return value is Markup ? new Markup(part) : part;
        }

        object?[] items = new object?[count];
        for (int i = 0; i < count; i++)
        {
            TryAt(value, start + (i * step), out items[i]);
        }

        return value is TupleValue ? new TupleValue(items) : value is BytesValue ? Bytes(items) : new List<object?>(items);
    }

    private static BytesValue Bytes(object?[] items) => new([.. items.Select(x => (byte)(long)x!)]);

    private static (BigInteger Start, BigInteger Step, int Count) Resolve((object? Start, object? Stop, object? Step) bounds, int length)
    {
        BigInteger step = Bound(bounds.Step) ?? 1;
        if (step.IsZero)
        {
            throw Faults.Value("slice step cannot be zero");
        }

        BigInteger lowest = step.Sign > 0 ? 0 : -1;
        BigInteger highest = step.Sign > 0 ? length : length - 1;
        BigInteger start = Clamp(Bound(bounds.Start), step.Sign > 0 ? lowest : highest);
        BigInteger stop = Clamp(Bound(bounds.Stop), step.Sign > 0 ? highest : lowest);
        return (start, step, (int)RangeValue.CountOf(start, stop, step));

        BigInteger Clamp(BigInteger? bound, BigInteger absent) => bound is not BigInteger b
            ? absent
            : BigInteger.Max(lowest, BigInteger.Min(highest, b.Sign < 0 ? b + length : b));
    }

    private static BigInteger? Bound(object? value) => value is null
        ? null
        : Values.AsInteger(value) ?? throw Faults.Type("slice indices must be integers or None or have an __index__ method");

    private static string Character(string text, int index)
    {
        int at = PythonText.Utf16Index(text, index);
        return text.Substring(at, PythonText.Utf16Index(text[at..Math.Min(text.Length, at + 2)], 1));
    }

    private static string TakeText(string text, int length, int start, BigInteger step, int count)
    {
        if (count == 0)
        {
            return "";
        }

        if (step.IsOne)
        {
            int from = PythonText.Utf16Index(text, start);
            return length == text.Length ? text.Substring(start, count) : text[from..(from + PythonText.Utf16Index(text[from..], count))];
        }

        Rune[] runes = [.. text.EnumerateRunes()];
        StringBuilder to = new();
        for (int i = 0; i < count; i++)
        {
            to.Append(runes[(int)(start + (i * step))].ToString());
        }

        return to.ToString();
    }
}
