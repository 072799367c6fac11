using System.Globalization;
using System.Numerics;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Kinds of token.</summary>
internal enum TokenKind
{
    /// <summary>Text outside tags.</summary>
    Data,
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,

    /// <summary>Everything else inside tags; the token's text tells which.</summary>
    Operator,
    End,
}

/// <summary>One token. <paramref name="Value"/> is what a literal stands for.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, object? Value = null)
{
    public bool Is(TokenKind kind, string text) => Kind == kind && Text == text;

    /// <summary>The token as error messages name it.</summary>
    public string Describe() => Kind switch
    {
        TokenKind.Data => "template data / text",
        TokenKind.VariableBegin => "begin of print statement",
        TokenKind.VariableEnd => "end of print statement",
        TokenKind.BlockBegin => "begin of statement block",
        TokenKind.BlockEnd => "end of statement block",
        TokenKind.String => "string",
        TokenKind.Integer => "integer",
        TokenKind.Float => "float",
        TokenKind.End => "end of template",
        _ => Text,
    };
}

/// <summary>
/// Cuts a template into tokens the way Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c>: the line end after a
/// block tag is dropped, and so is the white space before one that stands alone on its line.
/// </summary>
internal sealed class Lexer
{
    private const string Operators = "**//==!=>=<=+-/*%~[](){}><=.:|,;";
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _brackets = new();
    private readonly string _source;
    private int _at;
    private int _line = 1;
    private bool _lineStarts = true;

    private Lexer(string source)
    {
        // Every kind of line end counts as one \n, and one at the very end is not part of the template.
        string text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = text.EndsWith('\n') ? text[..^1] : text;
    }

    /// <exception cref="TemplateSyntaxException">A character that begins no token, or a tag that does not end.</exception>
    public static List<Token> Read(string source)
    {
        Lexer lexer = new(source);
        while (lexer._at < lexer._source.Length)
        {
            lexer.ReadRoot();
        }

        lexer.Add(TokenKind.End, "");
        return lexer._tokens;
    }

    private void ReadRoot()
    {
        int tag = NextTag();
        if (tag < 0)
        {
            AddData(_source[_at..]);
            _at = _source.Length;
            return;
        }

        char kind = _source[tag + 1];
        char sign = tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? _source[tag + 2] : ' ';
        int body = tag + (sign == ' ' ? 2 : 3);
        int raw = kind == '%' ? RawTagEnd(body) : -1;
        string text = _source[_at..tag];
        AddData(TrimBefore(text, sign, isVariable: kind == '{'));
        MoveTo(tag);
        if (raw >= 0)
        {
            MoveTo(raw);
            ReadRaw();
        }
        else
        {
            MoveTo(body);
            if (kind == '#')
            {
                ReadComment();
            }
            else
            {
                ReadTag(kind);
            }
        }
    }

    private int NextTag()
    {
        for (int i = _source.IndexOf('{', _at); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    // The text before a tag, without what the tag's sign or lstrip_blocks takes away.
    private string TrimBefore(string text, char sign, bool isVariable)
    {
        if (sign == '-')
        {
            return PythonText.Strip(text, null, start: false);
        }

        if (sign == '+' || isVariable)
        {
            return text;
        }

        int start = text.LastIndexOf('\n') + 1;
        bool aloneOnLine = start > 0 || _lineStarts;
        return aloneOnLine && text.Skip(start).All(PythonText.IsSpace) ? text[..start] : text;
    }

    // "raw" and the end of its tag, from just after the tag's sign; -1 if this is another tag.
    private int RawTagEnd(int from)
    {
        int at = SkipSpace(from);
        if (string.CompareOrdinal(_source, at, "raw", 0, 3) != 0)
        {
            return -1;
        }

        at = SkipSpace(at + 3);
        if (string.CompareOrdinal(_source, at, "-%}", 0, 3) == 0)
        {
            return SkipSpace(at + 3);
        }

        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 ? at + 2 : -1;
    }

    private void ReadRaw()
    {
        for (int i = _source.IndexOf("{%", _at, StringComparison.Ordinal); i >= 0; i = _source.IndexOf("{%", i + 1, StringComparison.Ordinal))
        {
            char sign = i + 2 < _source.Length && _source[i + 2] is '-' or '+' ? _source[i + 2] : ' ';
            int at = SkipSpace(i + (sign == ' ' ? 2 : 3));
            if (string.CompareOrdinal(_source, at, "endraw", 0, 6) == 0 && TagEnd(SkipSpace(at + 6), "%}", trimLine: true) is >= 0 and int end)
            {
                string text = _source[_at..i];
                AddData(TrimBefore(text, sign, isVariable: false));
                MoveTo(end);
                return;
            }
        }

        throw new TemplateSyntaxException("Missing end of raw directive", _line);
    }

    private void ReadComment()
    {
        for (int i = _at; i < _source.Length; i++)
        {
            if (_source[i] is '+' or '-' or '#' && TagEnd(i, "#}", trimLine: true) is >= 0 and int end)
            {
                MoveTo(end);
                return;
            }
        }

        throw new TemplateSyntaxException("Missing end of comment tag", _line);
    }

    private void ReadTag(char kind)
    {
        bool isBlock = kind == '%';
        Add(isBlock ? TokenKind.BlockBegin : TokenKind.VariableBegin, "");
        while (true)
        {
            if (_at >= _source.Length)
            {
                throw new TemplateSyntaxException(
                    $"unexpected end of template, expected '{(isBlock ? "end of statement block" : "end of print statement")}'", _line);
            }

            int end = _brackets.Count > 0 ? -1 : isBlock ? TagEnd(_at, "%}", trimLine: true) : TagEnd(_at, "}}", trimLine: false);
            if (end >= 0)
            {
                Add(isBlock ? TokenKind.BlockEnd : TokenKind.VariableEnd, "");
                MoveTo(end);
                return;
            }

            ReadToken();
        }
    }

    // Where a tag's end, with its sign, ends: "-" takes all white space, a block's end one line end. -1 if it is none.
    private int TagEnd(int at, string end, bool trimLine)
    {
        if (at < _source.Length && _source[at] == '-' && string.CompareOrdinal(_source, at + 1, end, 0, 2) == 0)
        {
            return SkipSpace(at + 3);
        }

        if (trimLine && at < _source.Length && _source[at] == '+' && string.CompareOrdinal(_source, at + 1, end, 0, 2) == 0)
        {
            return at + 3;
        }

        if (string.CompareOrdinal(_source, at, end, 0, 2) != 0)
        {
            return -1;
        }

        return at + 2 + (trimLine && at + 2 < _source.Length && _source[at + 2] == '\n' ? 1 : 0);
    }

    private void ReadToken()
    {
        char c = _source[_at];
        if (PythonText.IsSpace(c))
        {
            MoveTo(SkipSpace(_at));
        }
        else if (char.IsAsciiDigit(c))
        {
            ReadNumber();
        }
        else if (IsWord(_at, out _))
        {
            ReadName();
        }
        else if (c is '\'' or '"')
        {
            ReadString(c);
        }
        else
        {
            ReadOperator();
        }
    }

    private void ReadName()
    {
        int end = _at;
        while (end < _source.Length && IsWord(end, out int width))
        {
            end += width;
        }

        if (Rune.GetRuneAt(_source, _at) is { Value: not '_' } first && !Rune.IsLetter(first)
            && Rune.GetUnicodeCategory(first) is not (UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation))
        {
            throw new TemplateSyntaxException("Invalid character in identifier", _line);
        }

        Add(TokenKind.Name, _source[_at..end]);
        MoveTo(end);
    }

    // A character of identifiers: letters, digits, marks, and beyond the basic plane too.
    private bool IsWord(int at, out int width)
    {
        Rune.DecodeFromUtf16(_source.AsSpan(at), out Rune rune, out width);
        return rune.Value == '_' || Rune.IsLetterOrDigit(rune) || (rune.Value > 127 && Rune.GetUnicodeCategory(rune) is
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.ConnectorPunctuation
            or UnicodeCategory.LetterNumber);
    }

    private void ReadOperator()
    {
        string two = _at + 1 < _source.Length ? _source.Substring(_at, 2) : "";
        string text = two is "**" or "//" or "==" or "!=" or ">=" or "<=" ? two : _source[_at].ToString();
        if (text.Length == 1 && !Operators.Contains(text, StringComparison.Ordinal) || text == "!")
        {
            string shown = Rune.GetRuneAt(_source, _at).ToString();
            throw new TemplateSyntaxException($"unexpected char {Repr.Quote(shown)} at {PythonText.CodePointIndex(_source, _at)}", _line);
        }

        if (text is "(" or "[" or "{")
        {
            _brackets.Push(text == "(" ? ')' : text == "[" ? ']' : '}');
        }
        else if (text is ")" or "]" or "}")
        {
            if (_brackets.Count == 0)
            {
                throw new TemplateSyntaxException($"unexpected '{text}'", _line);
            }

            char expected = _brackets.Pop();
            if (expected != text[0])
            {
                throw new TemplateSyntaxException($"unexpected '{text}', expected '{expected}'", _line);
            }
        }

        Add(TokenKind.Operator, text);
        MoveTo(_at + text.Length);
    }

    private void ReadNumber()
    {
        int end = Digits(_at);
        bool afterPoint = _at > 0 && _source[_at - 1] == '.';
        int fraction = end < _source.Length && _source[end] == '.' ? Digits(end + 1) : -1;
        int mantissa = fraction > end + 1 ? fraction : end;
        int exponent = mantissa < _source.Length && _source[mantissa] is 'e' or 'E' ? ExponentEnd(mantissa + 1) : -1;
        if (!afterPoint && (exponent >= 0 || mantissa > end))
        {
            int stop = exponent >= 0 ? exponent : mantissa;
            string text = _source[_at..stop].Replace("_", "", StringComparison.Ordinal);
            Add(TokenKind.Float, text, double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
            MoveTo(stop);
            return;
        }

        ReadInteger();
    }

    private void ReadInteger()
    {
        int radix = _source[_at] == '0' && _at + 1 < _source.Length
            ? char.ToLowerInvariant(_source[_at + 1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 }
            : 10;
        int start = radix == 10 ? _at : _at + 2;
        int end = start;
        while (end < _source.Length
            && (IsDigit(_source[end])
                || (_source[end] == '_' && (end > start || radix != 10)
                    && end + 1 < _source.Length && IsDigit(_source[end + 1]))))
        {
            end++;
        }

        if (radix != 10 && end == start)
        {
            (radix, start, end) = (10, _at, _at + 1);
        }

        // A leading zero is a number of its own: "07" is 0 and then 7.
        if (radix == 10 && _source[start] == '0')
        {
            for (end = start + 1; end < _source.Length && _source[end] is '0' or '_';)
            {
                end++;
            }
        }

        string digits = _source[start..end].Replace("_", "", StringComparison.Ordinal);
        if (digits.Length > 4300)
        {
            throw new TemplateSyntaxException("an integer of more than 4300 digits", _line);
        }

        BigInteger value = digits.Aggregate(BigInteger.Zero, (sum, c) => (sum * radix) + HexValue(c));
        Add(TokenKind.Integer, _source[_at..end], Values.Integer(value));
        MoveTo(end);

        bool IsDigit(char c) => HexValue(c) < radix;
    }

    private static int HexValue(char c) => char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : int.MaxValue;

    // End of decimal digits with single underscores between them.
    private int Digits(int at)
    {
        int start = at;
        while (at < _source.Length && (char.IsAsciiDigit(_source[at])
            || (_source[at] == '_' && at > start && at + 1 < _source.Length && char.IsAsciiDigit(_source[at + 1]))))
        {
            at++;
        }

        return at;
    }

    private int ExponentEnd(int at)
    {
        int digits = at < _source.Length && _source[at] is '+' or '-' ? at + 1 : at;
        int end = Digits(digits);
        return end > digits ? end : -1;
    }

    private void ReadString(char quote)
    {
        int end = _at + 1;
        while (end < _source.Length && _source[end] != quote)
        {
            end += _source[end] == '\\' ? 2 : 1;
        }

        if (end >= _source.Length)
        {
            throw new TemplateSyntaxException($"unexpected char {Repr.Quote(quote.ToString())} at {PythonText.CodePointIndex(_source, _at)}", _line);
        }

        string value = StringLiteral.Unescape(_source[(_at + 1)..end], _line);
        Add(TokenKind.String, value, value);
        MoveTo(end + 1);
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && PythonText.IsSpace(_source[at]))
        {
            at++;
        }

        return at;
    }

    private void Add(TokenKind kind, string text, object? value = null) => _tokens.Add(new Token(kind, text, _line, value));

    private void AddData(string text)
    {
        if (text.Length > 0)
        {
            Add(TokenKind.Data, text);
        }
    }

    private void MoveTo(int end)
    {
        if (end > _at)
        {
            _line += _source.AsSpan(_at, end - _at).Count('\n');
            _lineStarts = _source[end - 1] == '\n';
        }

        _at = end;
    }
}
