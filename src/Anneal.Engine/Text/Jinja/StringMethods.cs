using System.Collections.Frozen;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>The methods of Python's <c>str</c>. On <see cref="Markup"/> they give markup and escape what is put in.</summary>
internal static class StringMethods
{
    private delegate object? OnText(Renderer renderer, string text, object?[] values);

    /// <summary>All of them by name.</summary>
    public static readonly FrozenDictionary<string, Method> All = Create().ToFrozenDictionary();

    private static Dictionary<string, Method> Create()
    {
        Dictionary<string, Method> all = [];
        AddMappings(all);
        AddSearches(all);
        AddPieces(all);
        AddPredicates(all);
        all["format"] = new(null, (r, self, arguments, _) => Format(r, self, arguments.Positional, arguments.Named ?? new DictValue()));
        all["format_map"] = new(Signature.Positional("format_map", "mapping"), (r, self, _, v) => Format(r, self, [], v[0]));
        return all;
    }

    private static void AddMappings(Dictionary<string, Method> all)
    {
        Map(all, "upper", PythonText.Upper);
        Map(all, "lower", PythonText.Lower);
        Map(all, "title", PythonText.Title);
        Map(all, "capitalize", PythonText.Capitalize);
        Map(all, "swapcase", PythonText.SwapCase);
        Map(all, "casefold", PythonText.CaseFold);
        Add(all, Signature.Positional("strip", "chars", [null]), "strip", (_, s, v) => PythonText.Strip(s, Characters(v[0])));
        Add(all, Signature.Positional("lstrip", "chars", [null]), "lstrip", (_, s, v) => PythonText.Strip(s, Characters(v[0]), end: false));
        Add(all, Signature.Positional("rstrip", "chars", [null]), "rstrip", (_, s, v) => PythonText.Strip(s, Characters(v[0]), start: false));
        Add(all, Signature.Positional("removeprefix", "prefix"), "removeprefix", (_, s, v) =>
            s.StartsWith(Text(v[0]), StringComparison.Ordinal) ? s[Text(v[0]).Length..] : s);
        Add(all, Signature.Positional("removesuffix", "suffix"), "removesuffix", (_, s, v) =>
            s.EndsWith(Text(v[0]), StringComparison.Ordinal) ? s[..^Text(v[0]).Length] : s);
        Add(
            all, Signature.Positional("center", "width fillchar", " "), "center",
            (r, s, v) => Pad(r, s, v, (n, width) => (n / 2) + (n & width & 1)), escape: 1);
        Add(all, Signature.Positional("ljust", "width fillchar", " "), "ljust", (r, s, v) => Pad(r, s, v, (_, _) => 0), escape: 1);
        Add(all, Signature.Positional("rjust", "width fillchar", " "), "rjust", (r, s, v) => Pad(r, s, v, (n, _) => n), escape: 1);
        Add(all, Signature.Positional("zfill", "width"), "zfill", ZeroFill);
        Add(all, Signature.Of("expandtabs", "tabsize", 8L), "expandtabs", ExpandTabs);
        Add(all, Signature.Positional("replace", "old new count", -1L), "replace", (r, s, v) =>
            Replace(r.Budget, s, Text(v[0]), Text(v[1]), Values.Count(v[2])), escape: 1);
        Add(all, Signature.Positional("translate", "table"), "translate", Translate);
        Add(all, Signature.Of("encode", "encoding errors", "utf-8", "strict"), "encode", (_, s, v) =>
            Text(v[0]).ToUpperInvariant() is "UTF-8" or "UTF8"
                ? new BytesValue(System.Text.Encoding.UTF8.GetBytes(s))
                : throw Faults.Unsupported($"the encoding '{v[0]}'"));
    }

    private static void AddSearches(Dictionary<string, Method> all)
    {
        foreach (string name in (string[])["find", "rfind", "index", "rindex"])
        {
            Add(all, Signature.Positional(name, "sub start end", [null, null]), name, (_, s, v) => Find(s, v, name));
        }

        Add(all, Signature.Positional("count", "sub start end", [null, null]), "count", (_, s, v) => Count(s, v));
        Add(all, Signature.Positional("startswith", "prefix start end", [null, null]), "startswith", (_, s, v) => Affix(s, v, "startswith"));
        Add(all, Signature.Positional("endswith", "suffix start end", [null, null]), "endswith", (_, s, v) => Affix(s, v, "endswith"));
    }

    private static void AddPieces(Dictionary<string, Method> all)
    {
        Add(all, Signature.Of("split", "sep maxsplit", null, -1L), "split", (r, s, v) => Split(r.Budget, s, v, fromEnd: false));
        Add(all, Signature.Of("rsplit", "sep maxsplit", null, -1L), "rsplit", (r, s, v) => Split(r.Budget, s, v, fromEnd: true));
        Add(all, Signature.Of("splitlines", "keepends", false), "splitlines", (r, s, v) =>
            Strings(r.Budget, SplitLines(s, Values.IsTrue(v[0]))));
        Add(all, Signature.Positional("partition", "sep"), "partition", (_, s, v) => Partition(s, Separator(v[0]), fromEnd: false));
        Add(all, Signature.Positional("rpartition", "sep"), "rpartition", (_, s, v) => Partition(s, Separator(v[0]), fromEnd: true));
        all["join"] = new(Signature.Positional("join", "iterable"), (r, self, _, v) => Join(r.Budget, self, v[0]));
    }

    private static void AddPredicates(Dictionary<string, Method> all)
    {
        Test(all, "isalpha", PythonText.IsAlpha);
        Test(all, "isdecimal", PythonText.IsDecimal);
        Test(all, "isdigit", PythonText.IsDigit);
        Test(all, "isnumeric", PythonText.IsNumeric);
        Test(all, "isalnum", PythonText.IsAlphanumeric);
        Test(all, "isspace", rune => rune.IsBmp && PythonText.IsSpace((char)rune.Value));
        Add(all, Signature.Empty("isascii"), "isascii", (_, s, _) => s.All(char.IsAscii));
        Add(all, Signature.Empty("isprintable"), "isprintable", (_, s, _) => s.EnumerateRunes().All(PythonText.IsPrintable));
        Add(all, Signature.Empty("islower"), "islower", (_, s, _) => IsLower(s));
        Add(all, Signature.Empty("isupper"), "isupper", (_, s, _) => IsUpper(s));
        Add(all, Signature.Empty("istitle"), "istitle", (_, s, _) => IsTitle(s));
        Add(all, Signature.Empty("isidentifier"), "isidentifier", (_, s, _) => s.Length > 0
            && (s[0] == '_' || Rune.IsLetter(Rune.GetRuneAt(s, 0))) && s.EnumerateRunes().All(r => r.Value == '_' || Rune.IsLetterOrDigit(r)));
    }

    /// <summary>Every place of one text replaced by another, at most <paramref name="count"/> of them unless it is negative.</summary>
    public static string Replace(Budget budget, string text, string old, string with, int count)
    {
        List<int> places = [];
        for (int at = 0; at <= text.Length && (count < 0 || places.Count < count);)
        {
            int found = old.Length == 0 ? at : text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0)
            {
                break;
            }

            places.Add(found);
            at = found + (old.Length > 0 ? old.Length : at < text.Length && char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1);
        }

        budget.Text(text.Length + ((long)places.Count * (with.Length - old.Length)));
        StringBuilder to = new();
        int copied = 0;
        foreach (int place in places)
        {
            to.Append(text, copied, place - copied).Append(with);
            copied = place + old.Length;
        }

        return to.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>The lines of a text, with or without their ends.</summary>
    public static IEnumerable<string> SplitLines(string text, bool keepEnds)
    {
        for (int at = 0; at < text.Length;)
        {
            int end = at;
            while (end < text.Length && !PythonText.IsLineEnd(text[end]))
            {
                end++;
            }

            int next = end + (end + 1 < text.Length && text[end] == '\r' && text[end + 1] == '\n' ? 2 : end < text.Length ? 1 : 0);
            yield return text[at..(keepEnds ? next : end)];
            at = next;
        }
    }

    /// <summary>Pads a text to a width; the function says how much of the padding goes in front.</summary>
    public static string Pad(Budget budget, string text, int width, string fill, Func<int, int, int> before)
    {
        int missing = width - PythonText.Length(text);
        if (missing <= 0)
        {
            return text;
        }

        budget.Text(text.Length + ((long)missing * fill.Length));
        int left = before(missing, width);
        return string.Concat(Enumerable.Repeat(fill, left)) + text + string.Concat(Enumerable.Repeat(fill, missing - left));
    }

    public static bool IsLower(string text) => text.EnumerateRunes().Any(PythonText.IsLower)
        && !text.EnumerateRunes().Any(r => PythonText.IsUpper(r) || PythonText.IsTitle(r));

    public static bool IsUpper(string text) => text.EnumerateRunes().Any(PythonText.IsUpper)
        && !text.EnumerateRunes().Any(r => PythonText.IsLower(r) || PythonText.IsTitle(r));

    private static bool IsTitle(string text)
    {
        bool any = false;
        bool inWord = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool starts = PythonText.IsUpper(rune) || PythonText.IsTitle(rune);
            if (starts ? inWord : PythonText.IsLower(rune) && !inWord)
            {
                return false;
            }

            inWord = starts || PythonText.IsLower(rune);
            any |= inWord;
        }

        return any;
    }

    // Adds a method that works on the text; on markup the result is markup and one of the values is escaped.
    private static void Add(Dictionary<string, Method> all, Signature signature, string name, OnText body, int escape = -1) =>
        all[name] = new Method(signature, (renderer, self, _, values) =>
        {
            renderer.Budget.Scan(Values.AsString(self)!);
            if (self is not Markup markup)
            {
                return body(renderer, (string)self!, values);
            }

            if (escape >= 0)
            {
                values[escape] = Markup.Escape(renderer.Budget, values[escape]);
            }

            return AsMarkup(body(renderer, markup.Text, values));
        });

    private static object? AsMarkup(object? result) => result switch
    {
        string text => new Markup(text),
        List<object?> list => list.ConvertAll(AsMarkup),
        TupleValue tuple => new TupleValue([.. tuple.Items.Select(AsMarkup)]),
        _ => result,
    };

    private static void Map(Dictionary<string, Method> all, string name, Func<string, string> map) =>
        Add(all, Signature.Empty(name), name, (r, s, _) =>
        {
            r.Budget.Text(s.Length * 3L);
            return map(s);
        });

    private static void Test(Dictionary<string, Method> all, string name, Func<Rune, bool> test) =>
        Add(all, Signature.Empty(name), name, (_, s, _) => s.Length > 0 && s.EnumerateRunes().All(test));

    private static string Text(object? value) =>
        Values.AsString(value) ?? throw Faults.Type($"expected a str, not {Values.TypeName(value)}");

    private static string? Characters(object? value) => value is null ? null : Text(value);

    private static string Separator(object? value) => Text(value) is { Length: > 0 } text ? text : throw Faults.Value("empty separator");

    private static string Pad(Renderer renderer, string text, object?[] values, Func<int, int, int> before)
    {
        string fill = Text(values[1]);
        return PythonText.Length(fill) == 1
            ? Pad(renderer.Budget, text, Values.Count(values[0]), fill, before)
            : throw Faults.Type("The fill character must be exactly one character long");
    }

    private static string ZeroFill(Renderer renderer, string text, object?[] values)
    {
        int sign = text.StartsWith('-') || text.StartsWith('+') ? 1 : 0;
        int width = Values.Count(values[0]);
        return text[..sign] + Pad(renderer.Budget, text[sign..], width - sign, "0", (n, _) => n);
    }

    private static string ExpandTabs(Renderer renderer, string text, object?[] values)
    {
        int size = Math.Max(0, Values.Count(values[0]));
        renderer.Budget.Text(text.Length + ((long)text.Count(c => c == '\t') * size));
        StringBuilder to = new();
        int column = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == '\t')
            {
                int spaces = size == 0 ? 0 : size - (column % size);
                to.Append(' ', spaces);
                column += spaces;
            }
            else
            {
                to.Append(rune.ToString());
                column = rune.Value is '\n' or '\r' ? 0 : column + 1;
            }
        }

        return to.ToString();
    }

    private static string Translate(Renderer renderer, string text, object?[] values)
    {
        StringBuilder to = new();
        foreach (Rune rune in text.EnumerateRunes())
        {
            object? with = Members.Item(renderer, values[0], (long)rune.Value);
            to.Append(with switch
            {
                Undefined => rune.ToString(),
                null => "",
                long code => Rune.IsValid((int)code) ? new Rune((int)code).ToString() : throw Faults.Value("character mapping must be in range(0x110000)"),
                _ => Text(with),
            });
            renderer.Budget.Grow(to.Length, 1);
        }

        return to.ToString();
    }

    // The part of a text between two code point positions, as UTF-16 positions; null if the first is behind the end.
    private static (int From, int To)? Window(string text, object? start, object? end)
    {
        int length = PythonText.Length(text);
        int from = Bound(start, 0);
        int to = Bound(end, length);
        return start is not null && Values.Count(start) > length
            ? null
            : from > to ? (-1, -1) : (PythonText.Utf16Index(text, from), PythonText.Utf16Index(text, to));

        int Bound(object? value, int absent)
        {
            int n = value is null ? absent : Values.Count(value);
            return Math.Clamp(n < 0 ? n + length : n, 0, length);
        }
    }

    private static long Find(string text, object?[] values, string name)
    {
        string part = Text(values[0]);
        int found = -1;
        if (Window(text, values[1], values[2]) is (>= 0 and int from, int to))
        {
            found = name[0] == 'r'
                ? text.AsSpan(from, to - from).LastIndexOf(part)
                : text.AsSpan(from, to - from).IndexOf(part);
            found = found < 0 ? -1 : PythonText.CodePointIndex(text, from + found);
        }

        return found < 0 && name.EndsWith("index", StringComparison.Ordinal) ? throw Faults.Value("substring not found") : found;
    }

    private static object Count(string text, object?[] values)
    {
        string part = Text(values[0]);
        if (Window(text, values[1], values[2]) is not (>= 0 and int from, int to))
        {
            return 0L;
        }

        string window = text[from..to];
        return part.Length == 0 ? PythonText.Length(window) + 1L : (long)window.AsSpan().Count(part);
    }

    private static bool Affix(string text, object?[] values, string name)
    {
        IEnumerable<object?> affixes = values[0] is TupleValue tuple ? tuple.Items : [values[0]];
        (int From, int To)? window = Window(text, values[1], values[2]);
        bool any = false;
        foreach (object? affix in affixes)
        {
            string part = Values.AsString(affix)
                ?? throw Faults.Type($"{name} first arg must be str or a tuple of str, not {Values.TypeName(affix)}");
            if (window is (>= 0 and int from, int to))
            {
                ReadOnlySpan<char> span = text.AsSpan(from, to - from);
                any |= name == "startswith" ? span.StartsWith(part, StringComparison.Ordinal) : span.EndsWith(part, StringComparison.Ordinal);
            }
        }

        return any;
    }

    private static List<object?> Split(Budget budget, string text, object?[] values, bool fromEnd)
    {
        int limit = Values.Count(values[1]);
        limit = limit < 0 ? int.MaxValue : limit;
        List<string> parts = values[0] is null
            ? SplitAtSpace(text, limit, fromEnd)
            : SplitAt(text, Separator(values[0]), limit, fromEnd);
        if (fromEnd)
        {
            parts.Reverse();
        }

        return Strings(budget, parts);
    }

    private static List<object?> Strings(Budget budget, IEnumerable<string> parts)
    {
        List<object?> list = [.. parts];
        budget.Items(list.Count);
        return list;
    }

    // From the end the parts come last one first.
    private static List<string> SplitAt(string text, string separator, int limit, bool fromEnd)
    {
        List<string> parts = [];
        string rest = text;
        int from = 0;
        int to = text.Length;
        while (parts.Count < limit)
        {
            int found = fromEnd ? rest.AsSpan(from, to - from).LastIndexOf(separator) : rest.AsSpan(from, to - from).IndexOf(separator);
            if (found < 0)
            {
                break;
            }

            found += from;
            parts.Add(fromEnd ? rest[(found + separator.Length)..to] : rest[from..found]);
            (from, to) = fromEnd ? (from, found) : (found + separator.Length, to);
        }

        parts.Add(rest[from..to]);
        return parts;
    }

    private static List<string> SplitAtSpace(string text, int limit, bool fromEnd)
    {
        List<string> parts = [];
        int from = 0;
        int to = text.Length;
        while (true)
        {
            // The rest after the last split keeps its far end as it is.
            while (from < to && PythonText.IsSpace(fromEnd ? text[to - 1] : text[from]))
            {
                (from, to) = fromEnd ? (from, to - 1) : (from + 1, to);
            }

            if (from == to)
            {
                return parts;
            }

            if (parts.Count == limit)
            {
                parts.Add(text[from..to]);
                return parts;
            }

            int at = fromEnd ? to : from;
            while (at > from - 1 && (fromEnd ? at > from && !PythonText.IsSpace(text[at - 1]) : at < to && !PythonText.IsSpace(text[at])))
            {
                at += fromEnd ? -1 : 1;
            }

            parts.Add(fromEnd ? text[at..to] : text[from..at]);
            (from, to) = fromEnd ? (from, at) : (at, to);
        }
    }

    private static TupleValue Partition(string text, string separator, bool fromEnd)
    {
        int at = fromEnd ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        return at < 0
            ? fromEnd ? new TupleValue("", "", text) : new TupleValue(text, "", "")
            : new TupleValue(text[..at], separator, text[(at + separator.Length)..]);
    }

    private static object Join(Budget budget, object? self, object? items)
    {
        List<string> parts = [];
        long length = 0;
        foreach (object? item in Values.TryIterate(items) ?? throw Faults.Type("can only join an iterable"))
        {
            string? part = self is Markup ? Markup.Escape(budget, item) : Values.AsString(item);
            parts.Add(part ?? throw Faults.Type($"sequence item {parts.Count}: expected str instance, {Values.TypeName(item)} found"));
            budget.Grow(length += part.Length, part.Length);
        }

        string separator = Values.AsString(self)!;
        budget.Text(length + ((long)separator.Length * parts.Count));
        string joined = string.Join(separator, parts);
        return self is Markup ? new Markup(joined) : joined;
    }

    private static object Format(Renderer renderer, object? self, object?[] positional, object? named)
    {
        string text = BraceFormat.Apply(renderer, Values.AsString(self)!, positional, named, escape: self is Markup);
        return self is Markup ? new Markup(text) : text;
    }
}
