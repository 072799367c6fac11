using System.Globalization;

namespace Anneal.Engine.Text.Patterns;

/// <content>Escapes and the classes in brackets.</content>
internal ref partial struct PatternParser
{
    private PatternNode ParseEscape()
    {
        _at++;
        if (AtEnd)
        {
            throw Fault("a backslash at the end");
        }

        AnchorKind? anchor = _source[_at] switch
        {
            'A' => AnchorKind.TextStart,
            'z' => AnchorKind.TextEnd,
            'Z' => AnchorKind.TextEndOrLastLine,
            'b' => AnchorKind.WordBoundary,
            'B' => AnchorKind.NotWordBoundary,
            _ => null,
        };
        if (anchor is { } kind)
        {
            _at++;
            return new PatternNode.Anchor(kind);
        }

        if (ParseClassEscape() is { } set)
        {
            return new PatternNode.Set(_options.HasFlag(Options.IgnoreCase) ? set.CloseOverCase() : set);
        }

        return Literal(ParseCharacterEscape());
    }

    /// <summary><c>\s \d \w \h \p{…}</c> and their negations; null (nothing taken) if the escape is a single character.</summary>
    private CodePointSet? ParseClassEscape()
    {
        char c = _source[_at];
        CodePointSet? set = char.ToLowerInvariant(c) switch
        {
            's' => UnicodeProperties.Space,
            'd' => UnicodeProperties.Category(UnicodeCategory.DecimalDigitNumber),
            'w' => UnicodeProperties.Word,
            'h' => UnicodeProperties.Find("xdigit"),
            'p' => ParseProperty(),
            _ => null,
        };
        if (set is null)
        {
            return null;
        }

        _at++;
        return char.IsAsciiLetterUpper(c) ? set.Negate() : set;
    }

    private CodePointSet ParseProperty()
    {
        int end = _at + 1 < _source.Length && _source[_at + 1] == '{' ? _source.IndexOf('}', _at) : -1;
        if (end < 0)
        {
            throw Fault("\\p without {name}");
        }

        string name = _source[(_at + 2)..end];
        bool negative = name.StartsWith('^');
        CodePointSet set = UnicodeProperties.Find(negative ? name[1..] : name)
            ?? throw Fault($"the property \\p{{{name}}}, which is not supported");
        _at = end;
        return negative ? set.Negate() : set;
    }

    private int ParseCharacterEscape()
    {
        char c = _source[_at];
        switch (c)
        {
            case 'n':
                _at++;
                return '\n';
            case 'r':
                _at++;
                return '\r';
            case 't':
                _at++;
                return '\t';
            case 'f':
                _at++;
                return '\f';
            case 'v':
                _at++;
                return '\v';
            case 'a':
                _at++;
                return '\a';
            case 'e':
                _at++;
                return 0x1B;
            case 'x' when _at + 1 < _source.Length && _source[_at + 1] == '{':
                int end = _source.IndexOf('}', _at);
                return end < 0 ? throw Fault("an unclosed \\x{") : Hex(_at + 2, end - _at - 2, end + 1);
            case 'x':
                int digits = HexDigits(_at + 1, 2);
                return Hex(_at + 1, digits, _at + 1 + digits);
            case 'u':
                return Hex(_at + 1, 4, _at + 5);
            case '0':
                _at++;
                return 0;
            default:
                return char.IsAsciiLetterOrDigit(c) ? throw Fault($"the escape '\\{c}', which is not supported") : NextRune();
        }
    }

    private readonly int HexDigits(int start, int most)
    {
        int n = 0;
        while (n < most && start + n < _source.Length && char.IsAsciiHexDigit(_source[start + n]))
        {
            n++;
        }

        return n;
    }

    private int Hex(int start, int length, int next)
    {
        if (start + length > _source.Length
            || !int.TryParse(_source.AsSpan(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || value is < 0 or > CodePointSet.Last)
        {
            throw Fault("a hexadecimal escape that is not a code point");
        }

        _at = next;
        return value;
    }

    /// <summary>The inside of <c>[…]</c>, from after the bracket to after its end.</summary>
    private CodePointSet ParseClass()
    {
        if (++_depth > DepthMax)
        {
            throw Fault($"groups nested deeper than {DepthMax}");
        }

        bool negative = Take('^');
        CodePointSet? intersection = null;
        List<(int First, int Last)> ranges = [];
        bool first = true;
        while (true)
        {
            if (AtEnd)
            {
                throw Fault("an unclosed '['");
            }

            if (_source[_at] == ']' && !first)
            {
                _at++;
                break;
            }

            first = false;
            if (_source.AsSpan(_at).StartsWith("&&", StringComparison.Ordinal))
            {
                _at += 2;
                CodePointSet part = CodePointSet.Of(ranges);
                intersection = intersection?.Intersect(part) ?? part;
                ranges.Clear();
                continue;
            }

            ParseClassItem(ranges);
        }

        CodePointSet set = CodePointSet.Of(ranges);
        set = intersection?.Intersect(set) ?? set;
        set = _options.HasFlag(Options.IgnoreCase) ? set.CloseOverCase() : set;
        _depth--;
        return negative ? set.Negate() : set;
    }

    private void ParseClassItem(List<(int First, int Last)> ranges)
    {
        if (_source[_at] == '[')
        {
            CodePointSet nested = _source.AsSpan(_at).StartsWith("[:", StringComparison.Ordinal) ? ParsePosixClass() : Nested();
            ranges.AddRange(nested.Ranges);
            return;
        }

        if (_source[_at] == '\\' && _at + 1 < _source.Length)
        {
            _at++;
            if (ParseClassEscape() is { } set)
            {
                ranges.AddRange(set.Ranges);
                return;
            }

            _at--;
        }

        int low = ClassCharacter();
        if (_at + 1 < _source.Length && _source[_at] == '-' && _source[_at + 1] is not (']' or '['))
        {
            int dash = _at++;
            if (_source[_at] == '\\' && IsClassEscape(_at + 1))
            {
                // [a-\s]: the dash is itself.
                _at = dash + 1;
                ranges.Add((low, low));
                ranges.Add(('-', '-'));
                return;
            }

            int high = ClassCharacter();
            ranges.Add(high >= low ? (low, high) : throw Fault("a range whose end comes before its start"));
            return;
        }

        ranges.Add((low, low));
    }

    private readonly bool IsClassEscape(int at) => at < _source.Length && "sSdDwWhHpP".Contains(_source[at], StringComparison.Ordinal);

    private CodePointSet Nested()
    {
        _at++;
        return ParseClass();
    }

    private CodePointSet ParsePosixClass()
    {
        int end = _source.IndexOf(":]", _at, StringComparison.Ordinal);
        string name = end < 0 ? throw Fault("an unclosed '[:'") : _source[(_at + 2)..end];
        bool negative = name.StartsWith('^');
        CodePointSet set = UnicodeProperties.Find(negative ? name[1..] : name)
            ?? throw Fault($"the class [:{name}:], which is not supported");
        _at = end + 2;
        return negative ? set.Negate() : set;
    }

    private int ClassCharacter()
    {
        if (_source[_at] != '\\')
        {
            return NextRune();
        }

        _at++;
        if (AtEnd)
        {
            throw Fault("a backslash at the end");
        }

        if (_source[_at] == 'b')
        {
            _at++;
            return '\b';
        }

        return ParseCharacterEscape();
    }
}
