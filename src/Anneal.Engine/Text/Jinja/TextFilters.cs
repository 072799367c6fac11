using System.Buffers;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Filters on text.</summary>
internal static partial class TextFilters
{
    private static readonly SearchValues<char> NotInAttributeNames = SearchValues.Create(" \t\n\r\f\v/>=");

    public static void AddTo(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        AddMethods(all);
        AddEscapes(all);
        AddLayout(all);
        all["format"] = Format;
        all.Add(Signature.Empty("title"), (r, x, _) => Soft(r, x, Title), "title");
        all.Add(Signature.Empty("wordcount"), (r, x, _) => (long)CountWords(Values.ToText(r.Budget, x)), "wordcount");
        all.Add(Signature.Empty("string"), (r, x, _) => x is Markup ? x : Values.ToText(r.Budget, x), "string");
        all.Add(Signature.Of("replace", "old new count", [null]), Replace, "replace");
        all.Add(Signature.Of("urlencode", ""), (r, x, _) => UrlEncode(r.Budget, x), "urlencode");
        all["urlize"] = (_, _, _) => throw Faults.Unsupported("the filter 'urlize'");
    }

    // Filters that are the method of the same name on the value's text.
    private static void AddMethods(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        foreach (string name in (string[])["upper", "lower", "capitalize"])
        {
            all.Add(Signature.Empty(name), (r, x, _) => Method(r, x, name), name);
        }

        all.Add(Signature.Of("trim", "chars", [null]), (r, x, v) => Method(r, x, "strip", v[0]), "trim");
        all.Add(Signature.Of("center", "width", 80L), (r, x, v) => Method(r, x, "center", v[0]), "center");
    }

    private static void AddEscapes(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        all.Add(Signature.Empty("escape"), (r, x, _) => new Markup(Markup.Escape(r.Budget, x)), "escape", "e");
        all.Add(Signature.Empty("forceescape"), (r, x, _) => new Markup(Markup.Escape(r.Budget, Values.ToText(r.Budget, x))), "forceescape");
        all.Add(Signature.Empty("safe"), (r, x, _) => x is Markup ? x : new Markup(Values.ToText(r.Budget, x)), "safe");
        all.Add(Signature.Empty("striptags"), (r, x, _) => StripTags(Values.ToText(r.Budget, x)), "striptags");
        all.Add(Signature.Of("xmlattr", "autospace", true), XmlAttributes, "xmlattr");
    }

    private static void AddLayout(Dictionary<string, Func<Renderer, object?, Arguments, object?>> all)
    {
        all.Add(Signature.Of("indent", "width first blank", 4L, false, false), Indent, "indent");
        all.Add(Signature.Of("truncate", "length killwords end leeway", 255L, false, "...", null), Truncate, "truncate");
        all.Add(Signature.Of("wordwrap", "width break_long_words wrapstring break_on_hyphens", 79L, true, null, true), WordWrap, "wordwrap");
    }

    private static object? Method(Renderer renderer, object? input, string name, params object?[] values) =>
        StringMethods.All[name].Bind(name, input is Markup ? input : Values.ToText(renderer.Budget, input)).Call(renderer, new Arguments(values, null));

    private static string RequireText(object? input, string what) => Values.AsString(input)
        ?? throw (input is Undefined undefined ? undefined.Fail() : Faults.Type($"'{Values.TypeName(input)}' object cannot be {what}"));

    private static object Soft(Renderer renderer, object? input, Func<string, string> map)
    {
        string text = map(Values.ToText(renderer.Budget, input));
        renderer.Budget.Text(text.Length);
        return input is Markup ? new Markup(text) : text;
    }

    private static object? Format(Renderer renderer, object? input, Arguments arguments)
    {
        if (arguments.Positional.Length > 0 && arguments.Named is { Count: > 0 })
        {
            throw Faults.Runtime("can't handle positional and keyword arguments at the same time");
        }

        object values = arguments.Named is { Count: > 0 } named ? named : new TupleValue(arguments.Positional);
        return Arithmetic.Binary(renderer, "%", input is Markup ? input : Values.ToText(renderer.Budget, input), values);
    }

    // A word begins after white space, a hyphen or an opening bracket.
    private static string Title(string text)
    {
        StringBuilder to = new();
        foreach (string item in WordBeginning().Split(text).Where(s => s.Length > 0))
        {
            int first = Rune.GetRuneAt(item, 0).Utf16SequenceLength;
            to.Append(PythonText.Upper(item[..first])).Append(PythonText.Lower(item[first..]));
        }

        return to.ToString();
    }

    [GeneratedRegex(@"([-\s\x1c-\x1f({\[<]+)", RegexOptions.CultureInvariant)]
    private static partial Regex WordBeginning();

    private static int CountWords(string text)
    {
        int count = 0;
        bool inWord = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isWord = rune.Value == '_' || PythonText.IsAlphanumeric(rune);
            count += isWord && !inWord ? 1 : 0;
            inWord = isWord;
        }

        return count;
    }

    private static object? Replace(Renderer renderer, object? input, object?[] values)
    {
        int count = values[2] is null ? -1 : Values.Count(values[2]);
        Budget budget = renderer.Budget;
        if (!renderer.AutoEscape)
        {
            return StringMethods.Replace(
                budget, Values.ToText(budget, input), Values.ToText(budget, values[0]), Values.ToText(budget, values[1]), count);
        }

        object? text = values[0] is Markup || (values[1] is Markup && input is not Markup)
            ? new Markup(Markup.Escape(budget, input))
            : input is Markup ? input : Values.ToText(budget, input);
        string with = text is Markup ? Markup.Escape(budget, values[1]) : Values.ToText(budget, values[1]);
        string replaced = StringMethods.Replace(budget, Values.AsString(text)!, Values.ToText(budget, values[0]), with, count);
        return text is Markup ? new Markup(replaced) : replaced;
    }

    private static string UrlEncode(Budget budget, object? input)
    {
        if (Values.AsString(input) is not null || Values.TryIterate(input) is null)
        {
            return Quote(Values.ToText(budget, input), "/", "%20");
        }

        IEnumerable<object?> pairs = input is DictValue dict ? dict.Items : Values.Iterate(input);
        return string.Join('&', pairs.Select(pair =>
        {
            List<object?> entry = Values.ToList(budget, pair);
            return entry.Count == 2
                ? $"{Quote(Values.ToText(budget, entry[0]), "", "+")}={Quote(Values.ToText(budget, entry[1]), "", "+")}"
                : throw Faults.Value($"not enough values to unpack (expected 2, got {entry.Count})");
        }));
    }

    private static string Quote(string text, string keep, string space)
    {
        StringBuilder to = new();
        foreach (byte b in System.Text.Encoding.UTF8.GetBytes(text))
        {
            _ = b == ' ' ? to.Append(space)
                : char.IsAsciiLetterOrDigit((char)b) || "_.-~".Contains((char)b, StringComparison.Ordinal) || keep.Contains((char)b, StringComparison.Ordinal)
                    ? to.Append((char)b)
                    : to.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return to.ToString();
    }

    private static string StripTags(string text)
    {
        string plain = Cut(Cut(text, "<!--", "-->"), "<", ">");
        string[] words = plain.Split([.. plain.Where(PythonText.IsSpace).Distinct()], StringSplitOptions.RemoveEmptyEntries);
        return WebUtility.HtmlDecode(plain.Any(PythonText.IsSpace) ? string.Join(' ', words) : plain);
    }

    private static string Cut(string text, string open, string close)
    {
        StringBuilder to = new();
        int at = 0;
        while (text.IndexOf(open, at, StringComparison.Ordinal) is >= 0 and int start
            && text.IndexOf(close, start, StringComparison.Ordinal) is >= 0 and int end)
        {
            to.Append(text, at, start - at);
            at = end + close.Length;
        }

        return to.Append(text, at, text.Length - at).ToString();
    }

    private static object? XmlAttributes(Renderer renderer, object? input, object?[] values)
    {
        DictValue dict = input as DictValue ?? throw (input is Undefined undefined
            ? undefined.Fail()
            : Faults.Type($"'{Values.TypeName(input)}' object has no attribute 'items'"));
        List<string> parts = [];
        foreach ((object? key, object? value) in dict.Entries.Where(e => e.Value is not (null or Undefined)))
        {
            string name = Values.AsString(key) ?? throw Faults.Type("expected string or bytes-like object");
            if (name.AsSpan().ContainsAny(NotInAttributeNames))
            {
                throw Faults.Value($"Invalid character in attribute name: {Repr.Quote(name)}");
            }

            parts.Add($"{Markup.Escape(renderer.Budget, key)}=\"{Markup.Escape(renderer.Budget, value)}\"");
        }

        string text = (parts.Count > 0 && Values.IsTrue(values[0]) ? " " : "") + string.Join(' ', parts);
        return renderer.AutoEscape ? new Markup(text) : text;
    }

    private static object? Indent(Renderer renderer, object? input, object?[] values)
    {
        string text = RequireText(input, "indented");
        int width = Values.AsString(values[0]) is null ? Values.Count(values[0]) : 0;
        renderer.Budget.Text(width);
        string indent = Values.AsString(values[0]) ?? new string(' ', Math.Max(0, width));
        if (input is Markup)
        {
            indent = Markup.Escape(renderer.Budget, values[0] is Markup ? values[0] : indent);
        }

        List<string> lines = [.. StringMethods.SplitLines(text + "\n", keepEnds: false)];
        renderer.Budget.Text(text.Length + ((long)lines.Count * (indent.Length + 1)));
        bool blank = Values.IsTrue(values[2]);
        string indented = lines[0] + string.Concat(lines.Skip(1).Select(l => "\n" + (blank || l.Length > 0 ? indent : "") + l));
        indented = (Values.IsTrue(values[1]) ? indent : "") + indented;
        return input is Markup ? new Markup(indented) : indented;
    }

    private static object? Truncate(Renderer renderer, object? input, object?[] values)
    {
        int count = Values.Length(input) ?? throw Faults.Type($"object of type '{Values.TypeName(input)}' has no len()");
        string end = Values.AsString(values[2]) ?? throw Faults.Type("the end of a truncated text must be a str");
        int length = Values.Count(values[0]);
        int keep = length - PythonText.Length(end);
        if (keep < 0)
        {
            throw Faults.Value($"expected length >= {PythonText.Length(end)}, got {length}");
        }

        long leeway = values[3] is null ? 5 : Values.Count(values[3]);
        if (leeway < 0)
        {
            throw Faults.Value($"expected leeway >= 0, got {leeway}");
        }

        if (count <= length + leeway)
        {
            return input;
        }

        string text = RequireText(input, "truncated");
        string cut = text[..PythonText.Utf16Index(text, keep)];
        int space = Values.IsTrue(values[1]) ? -1 : cut.LastIndexOf(' ');
        string result = (space >= 0 ? cut[..space] : cut) + (input is Markup ? Markup.Escape(renderer.Budget, values[2]) : end);
        return input is Markup ? new Markup(result) : result;
    }

    private static object? WordWrap(Renderer renderer, object? input, object?[] values)
    {
        string text = RequireText(input, "wrapped");
        int width = Values.Count(values[0]);
        if (width <= 0)
        {
            throw Faults.Value($"invalid width {width} (must be > 0)");
        }

        string separator = values[2] is null ? "\n" : Values.AsString(values[2]) ?? throw Faults.Type("wrapstring must be a str");
        renderer.Budget.Text((long)text.Length * (separator.Length + 1));
        return string.Join(separator, StringMethods.SplitLines(text, keepEnds: false)
            .Select(line => string.Join(separator, Wrap(line, width, Values.IsTrue(values[1]), Values.IsTrue(values[3])))));
    }

    // Greedy filling, as Python's textwrap: white space is dropped at both ends of a line, long words are broken.
    private static List<string> Wrap(string line, int width, bool breakLong, bool atHyphens)
    {
        Stack<string> chunks = new((atHyphens ? ChunksWithHyphens() : Chunks()).Split(line).Where(c => c.Length > 0).Reverse());
        List<string> lines = [];
        while (chunks.Count > 0)
        {
            List<string> current = [];
            int length = 0;
            if (lines.Count > 0 && IsBlank(chunks.Peek()))
            {
                chunks.Pop();
            }

            while (chunks.Count > 0 && length + PythonText.Length(chunks.Peek()) <= width)
            {
                current.Add(chunks.Pop());
                length += PythonText.Length(current[^1]);
            }

            if (chunks.Count > 0 && PythonText.Length(chunks.Peek()) > width && (breakLong || current.Count == 0))
            {
                BreakLong(chunks, current, breakLong ? width - length : int.MaxValue, atHyphens);
            }

            if (current.Count > 0 && IsBlank(current[^1]))
            {
                current.RemoveAt(current.Count - 1);
            }

            if (current.Count > 0)
            {
                lines.Add(string.Concat(current));
            }
        }

        return lines;
    }

    private static void BreakLong(Stack<string> chunks, List<string> current, int space, bool atHyphens)
    {
        string chunk = chunks.Pop();
        space = Math.Max(1, space);
        if (space >= PythonText.Length(chunk))
        {
            current.Add(chunk);
            return;
        }

        int end = PythonText.Utf16Index(chunk, space);
        int hyphen = atHyphens && space > 1 ? chunk.LastIndexOf('-', end - 1) : -1;
        if (hyphen > 0 && chunk.AsSpan(0, hyphen).ContainsAnyExcept('-'))
        {
            end = hyphen + 1;
        }

        current.Add(chunk[..end]);
        chunks.Push(chunk[end..]);
    }

    private static bool IsBlank(string chunk) => chunk.All(PythonText.IsSpace);

    [GeneratedRegex(@"([\t\n\v\f\r ]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Chunks();

    // White space, dashes between words, and words, which may be broken behind a hyphen between letters.
    [GeneratedRegex(
        @"([\t\n\v\f\r ]+|(?<=[\w!""'&.,?])-{2,}(?=\w)|" +
        @"[^\t\n\v\f\r ]+?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[\t\n\v\f\r ]|$)|(?<=[\w!""'&.,?])(?=-{2,}\w)))",
        RegexOptions.CultureInvariant)]
    private static partial Regex ChunksWithHyphens();
}
