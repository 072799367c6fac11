using System.Globalization;
using System.Text;

namespace Anneal.Engine.Text.Patterns;

/// <summary>
/// Reads the regular expressions of <c>tokenizer.json</c>, which are in the dialect that Oniguruma calls Ruby: <c>^</c> and
/// <c>$</c> are line anchors, <c>.</c> leaves out the line feed, <c>(?m)</c> lets it in, <c>{1,3}+</c> is a repeated
/// repetition and <c>++</c> a possessive one. References to groups, and names this engine has no data for, are refused.
/// </summary>
internal ref partial struct PatternParser
{
    private const int DepthMax = 200;
    private const int RepeatMax = 1000;
    private const int StackedRepeatsMax = 20;

    private readonly string _source;
    private int _at;
    private int _depth;
    private Options _options;

    private PatternParser(string source) => _source = source;

    [Flags]
    private enum Options
    {
        None = 0,
        IgnoreCase = 1,
        DotMatchesLineFeed = 2,
        Extended = 4,
    }

    private readonly bool AtEnd => _at >= _source.Length;

    /// <summary>Parses a whole pattern.</summary>
    /// <exception cref="InvalidDataException">It is not well formed, or uses what is not supported; the message says where.</exception>
    public static PatternNode Parse(string source)
    {
        PatternParser parser = new(source);
        PatternNode node = parser.ParseChoice();
        return parser.AtEnd ? node : throw parser.Fault("an unmatched ')'");
    }

    private PatternNode ParseChoice()
    {
        if (++_depth > DepthMax)
        {
            throw Fault($"groups nested deeper than {DepthMax}");
        }

        Options outer = _options;
        List<PatternNode> options = [ParseSequence()];
        while (!AtEnd && _source[_at] == '|')
        {
            _at++;
            options.Add(ParseSequence());
        }

        _options = outer;
        _depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Choice(options);
    }

    private PatternNode ParseSequence()
    {
        List<PatternNode> parts = [];
        while (!AtEnd && _source[_at] is not ('|' or ')'))
        {
            if (SkipExtendedBlank())
            {
                continue;
            }

            if (ParseAtom() is { } atom)
            {
                parts.Add(ParseRepeats(atom));
            }
        }

        return parts.Count == 1 ? parts[0] : new PatternNode.Sequence(parts);
    }

    private bool SkipExtendedBlank()
    {
        if (!_options.HasFlag(Options.Extended))
        {
            return false;
        }

        if (char.IsWhiteSpace(_source[_at]))
        {
            _at++;
            return true;
        }

        if (_source[_at] != '#')
        {
            return false;
        }

        int end = _source.IndexOf('\n', _at);
        _at = end < 0 ? _source.Length : end + 1;
        return true;
    }

    /// <summary>One atom; null for a group that only sets options.</summary>
    private PatternNode? ParseAtom()
    {
        char c = _source[_at];
        switch (c)
        {
            case '(':
                return ParseGroup();
            case '[':
                _at++;
                return new PatternNode.Set(ParseClass());
            case '.':
                _at++;
                return new PatternNode.Set(_options.HasFlag(Options.DotMatchesLineFeed) ? CodePointSet.All : CodePointSet.Of('\n').Negate());
            case '^':
                _at++;
                return new PatternNode.Anchor(AnchorKind.LineStart);
            case '$':
                _at++;
                return new PatternNode.Anchor(AnchorKind.LineEnd);
            case '*' or '+' or '?':
                throw Fault("nothing to repeat");
            case '\\':
                return ParseEscape();
            default:
                return Literal(NextRune());
        }
    }

    private readonly PatternNode.Set Literal(int codePoint)
    {
        CodePointSet set = CodePointSet.Of(codePoint);
        return new PatternNode.Set(_options.HasFlag(Options.IgnoreCase) ? set.CloseOverCase() : set);
    }

    private PatternNode? ParseGroup()
    {
        _at++;
        if (!Take('?'))
        {
            return Close(ParseChoice());
        }

        if (Take(':'))
        {
            return Close(ParseChoice());
        }

        if (Take('='))
        {
            return Close(new PatternNode.Look(ParseChoice(), Behind: false, Negative: false));
        }

        if (Take('!'))
        {
            return Close(new PatternNode.Look(ParseChoice(), Behind: false, Negative: true));
        }

        if (Take('>'))
        {
            return Close(new PatternNode.Atomic(ParseChoice()));
        }

        if (Take('#'))
        {
            int end = _source.IndexOf(')', _at);
            _at = end < 0 ? throw Fault("an unclosed comment") : end + 1;
            return null;
        }

        if (Take('<'))
        {
            return ParseAfterAngle();
        }

        return ParseOptions();
    }

    private PatternNode ParseAfterAngle()
    {
        if (Take('='))
        {
            return Close(new PatternNode.Look(ParseChoice(), Behind: true, Negative: false));
        }

        if (Take('!'))
        {
            return Close(new PatternNode.Look(ParseChoice(), Behind: true, Negative: true));
        }

        int end = _source.IndexOf('>', _at);
        _at = end < 0 ? throw Fault("an unclosed group name") : end + 1;
        return Close(ParseChoice());
    }

    private PatternNode ParseOptions()
    {
        Options before = _options;
        bool on = true;
        for (; !AtEnd; _at++)
        {
            Options flag = Options.None;
            switch (_source[_at])
            {
                case '-':
                    on = false;
                    continue;
                case 'i':
                    flag = Options.IgnoreCase;
                    break;
                case 'm':
                    flag = Options.DotMatchesLineFeed;
                    break;
                case 'x':
                    flag = Options.Extended;
                    break;
                case ':' or ')':
                    // a(?i)b|c is a(?i:b|c): without a colon the options hold to the end of the enclosing group.
                    bool scoped = _source[_at++] == ':';
                    PatternNode body = ParseChoice();
                    _options = before;
                    return scoped ? Close(body) : body;
                default:
                    throw Fault($"the group option '{_source[_at]}', which is not supported");
            }

            _options = on ? _options | flag : _options & ~flag;
        }

        throw Fault("an unclosed group");
    }

    private PatternNode Close(PatternNode node)
    {
        return Take(')') ? node : throw Fault("an unclosed group");
    }

    private PatternNode ParseRepeats(PatternNode node)
    {
        for (int stacked = 0; !AtEnd; stacked++)
        {
            (int Min, int? Max, bool Interval)? bounds = ParseBounds();
            if (bounds is not { } b)
            {
                return node;
            }

            if (stacked == StackedRepeatsMax)
            {
                throw Fault($"more than {StackedRepeatsMax} repetitions of one thing");
            }

            Greed greed = Greed.Greedy;
            bool fixedCount = b.Interval && b.Max == b.Min;
            if (!fixedCount && Take('?'))
            {
                greed = Greed.Lazy;
            }
            else if (!b.Interval && Take('+'))
            {
                greed = Greed.Possessive;
            }

            node = new PatternNode.Repeat(node, b.Min, b.Max, greed);
        }

        return node;
    }

    private (int Min, int? Max, bool Interval)? ParseBounds()
    {
        switch (_source[_at])
        {
            case '*':
                _at++;
                return (0, null, false);
            case '+':
                _at++;
                return (1, null, false);
            case '?':
                _at++;
                return (0, 1, false);
            case '{':
                return ParseInterval();
            default:
                return null;
        }
    }

    private (int Min, int? Max, bool Interval)? ParseInterval()
    {
        int end = _source.IndexOf('}', _at);
        string inside = end < 0 ? "" : _source[(_at + 1)..end];
        string[] numbers = inside.Split(',');
        if (inside.Length == 0 || inside == "," || numbers.Length > 2 || inside.Any(c => !char.IsAsciiDigit(c) && c != ','))
        {
            // Not an interval, so a brace like any other character.
            return null;
        }

        int min = numbers[0].Length == 0 ? 0 : Count(numbers[0]);
        int? max = numbers.Length == 1 ? min : numbers[1].Length == 0 ? null : Count(numbers[1]);
        if (max < min)
        {
            throw Fault($"the interval {{{inside}}}, whose maximum is below its minimum");
        }

        _at = end + 1;
        return (min, max, true);
    }

    private readonly int Count(string digits)
    {
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= RepeatMax
            ? value
            : throw Fault($"a repetition of {digits}, which is more than {RepeatMax}");
    }

    private int NextRune()
    {
        Rune.DecodeFromUtf16(_source.AsSpan(_at), out Rune rune, out int units);
        _at += units;
        return rune.Value;
    }

    private bool Take(char c)
    {
        if (AtEnd || _source[_at] != c)
        {
            return false;
        }

        _at++;
        return true;
    }

    private readonly InvalidDataException Fault(string what) =>
        new($"The pattern {Quote(_source)} has {what} (at character {_at}).");

    private static string Quote(string pattern) => $"/{(pattern.Length > 200 ? pattern[..200] + "…" : pattern)}/";
}
