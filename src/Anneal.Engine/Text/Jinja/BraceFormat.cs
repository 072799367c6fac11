using System.Globalization;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Python's <c>text.format(…)</c>. Attributes inside fields go through the sandbox.</summary>
internal sealed class BraceFormat
{
    private readonly Renderer _renderer;
    private readonly object?[] _positional;
    private readonly object? _named;
    private readonly bool _escape;
    private int _next;

    private BraceFormat(Renderer renderer, object?[] positional, object? named, bool escape)
    {
        (_renderer, _positional, _named, _escape) = (renderer, positional, named, escape);
    }

    public static string Apply(Renderer renderer, string format, object?[] positional, object? named, bool escape) =>
        new BraceFormat(renderer, positional, named, escape).Expand(format, 2);

    private string Expand(string format, int depth)
    {
        if (depth < 0)
        {
            throw Faults.Value("Max string recursion exceeded");
        }

        StringBuilder to = new();
        for (int i = 0; i < format.Length; i++)
        {
            char c = format[i];
            if (c is not ('{' or '}'))
            {
                to.Append(c);
            }
            else if (i + 1 < format.Length && format[i + 1] == c)
            {
                to.Append(c);
                i++;
            }
            else if (c == '}')
            {
                throw Faults.Value("Single '}' encountered in format string");
            }
            else
            {
                int end = FieldEnd(format, i);
                to.Append(Field(format[(i + 1)..end], depth));
                i = end;
            }

            _renderer.Budget.Grow(to.Length, 1);
        }

        return to.ToString();
    }

    private static int FieldEnd(string format, int open)
    {
        int depth = 0;
        for (int i = open; i < format.Length; i++)
        {
            depth += format[i] == '{' ? 1 : format[i] == '}' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        throw Faults.Value(open == format.Length - 1 ? "Single '{' encountered in format string" : "expected '}' before end of string");
    }

    private string Field(string field, int depth)
    {
        int end = 0;
        for (int brackets = 0; end < field.Length && (brackets > 0 || field[end] is not ('!' or ':')); end++)
        {
            brackets += field[end] == '[' ? 1 : field[end] == ']' ? -1 : 0;
        }

        object? value = Resolve(field[..end]);
        if (end < field.Length && field[end] == '!')
        {
            char conversion = end + 1 < field.Length ? field[end + 1] : throw Faults.Value("end of string while looking for conversion specifier");
            end += 2;
            if (end < field.Length && field[end] != ':')
            {
                throw Faults.Value("expected ':' after conversion specifier");
            }

            value = conversion switch
            {
                's' => Values.ToText(_renderer.Budget, value),
                'r' or 'a' => Repr.Of(_renderer.Budget, value),
                _ => throw Faults.Value($"Unknown conversion specifier {conversion}"),
            };
        }

        string spec = end < field.Length ? Expand(field[(end + 1)..], depth - 1) : "";
        if (!_escape)
        {
            return FormatSpec.Apply(_renderer.Budget, value, spec);
        }

        if (value is Markup && spec.Length > 0)
        {
            throw Faults.Value("Unsupported format specification for Markup.");
        }

        return value is Markup markup ? markup.Text : Markup.Escape(_renderer.Budget, FormatSpec.Apply(_renderer.Budget, value, spec));
    }

    private object? Resolve(string name)
    {
        int end = name.AsSpan().IndexOfAny('.', '[') is >= 0 and int found ? found : name.Length;
        object? value = First(name[..end]);
        while (end < name.Length)
        {
            if (name[end] == '.')
            {
                int next = name.AsSpan(end + 1).IndexOfAny('.', '[') is >= 0 and int more ? end + 1 + more : name.Length;
                value = Members.Attribute(_renderer, value, name[(end + 1)..next]);
                end = next;
            }
            else
            {
                int close = name.IndexOf(']', end);
                if (close < 0 || (close + 1 < name.Length && name[close + 1] is not ('.' or '[')))
                {
                    throw Faults.Value("Only '.' or '[' may follow ']' in format field specifier");
                }

                string key = name[(end + 1)..close];
                value = Members.Item(_renderer, value, Index(key) is int index ? (long)index : key);
                end = close + 1;
            }
        }

        return value;
    }

    private object? First(string name)
    {
        if (name.Length == 0)
        {
            return At(_next++);
        }

        if (Index(name) is int index)
        {
            return At(index);
        }

        object? value = Members.Item(_renderer, _named, name);
        return value is Undefined ? throw Faults.Value($"KeyError: '{name}'") : value;
    }

    private object? At(int index) => index < _positional.Length
        ? _positional[index]
        : throw Faults.Value($"Replacement index {index} out of range for positional args tuple");

    private static int? Index(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : null;
}
