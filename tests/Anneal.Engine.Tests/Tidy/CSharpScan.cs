using System.Text;
using System.Text.RegularExpressions;

namespace Anneal.Engine.Tests.Tidy;

/// <summary>Just enough reading of C# for style rules: what is code and what is not, and where methods begin and end.</summary>
internal static partial class CSharpScan
{
    /// <summary>One method, constructor, operator or accessor with a block body.</summary>
    internal readonly record struct Method(string Name, int Line, int Lines);

    /// <summary>The source with comments and the contents of literals turned into spaces; offsets and lines stay.</summary>
    public static string CodeOnly(string source)
    {
        var code = new StringBuilder(source);
        int at = 0;
        while (at < source.Length)
        {
            int end = EndOfTrivia(source, at);
            if (end == at)
            {
                at++;
                continue;
            }

            for (int i = at; i < end; i++)
            {
                if (code[i] is not ('\n' or '\r'))
                {
                    code[i] = ' ';
                }
            }

            at = end;
        }

        return code.ToString();
    }

    /// <summary>Every member with a body in braces, local functions and lambdas counted with the member that holds them.</summary>
    public static IEnumerable<Method> Methods(string source)
    {
        string code = CodeOnly(source);
        var isType = new Stack<bool>();
        int headerStart = 0;
        int skipUntilDepth = -1;
        (string Name, int Start) open = ("", 0);
        for (int at = 0; at < code.Length; at++)
        {
            switch (code[at])
            {
                case '{':
                    string header = code[headerStart..at].Trim();
                    bool type = TypeHeader().IsMatch(header);
                    if (skipUntilDepth < 0 && !type && isType.TryPeek(out bool inType) && inType && header.Length > 0)
                    {
                        skipUntilDepth = isType.Count;
                        open = (Name(header), headerStart + code[headerStart..at].Length - code[headerStart..at].TrimStart().Length);
                    }

                    isType.Push(type);
                    headerStart = at + 1;
                    break;
                case '}':
                    isType.Pop();
                    if (skipUntilDepth == isType.Count)
                    {
                        skipUntilDepth = -1;
                        if (open.Name.Length == 0)
                        {
                            headerStart = at + 1;
                            break;
                        }

                        int first = LineOf(code, open.Start);
                        yield return new Method(open.Name, first, LineOf(code, at) - first + 1);
                    }

                    headerStart = at + 1;
                    break;
                case ';':
                    headerStart = at + 1;
                    break;
            }
        }
    }

    /// <summary>The line, counted from 1, of an offset.</summary>
    public static int LineOf(string text, int offset) => text.AsSpan(0, offset).Count('\n') + 1;

    // Empty for the initializer of a field or property, which is data and may be long.
    private static string Name(string header)
    {
        if (!header.Contains("operator") && Assignment().IsMatch(Parenthesised().Replace(header, "()")))
        {
            return "";
        }

        Match match = MemberName().Match(header);
        return match.Success ? match.Groups[1].Value : header[^Math.Min(40, header.Length)..];
    }

    // Where the comment or literal that starts here ends; `at` itself when none starts here.
    private static int EndOfTrivia(string text, int at)
    {
        char c = text[at];
        char next = at + 1 < text.Length ? text[at + 1] : '\0';
        if (c == '/' && next == '/')
        {
            int end = text.IndexOf('\n', at);
            return end < 0 ? text.Length : end;
        }

        if (c == '/' && next == '*')
        {
            int end = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
            return end < 0 ? text.Length : end + 2;
        }

        if (c == '\'')
        {
            int end = at + 1;
            while (end < text.Length && text[end] != '\'')
            {
                end += text[end] == '\\' ? 2 : 1;
            }

            return Math.Min(end + 1, text.Length);
        }

        return c is '"' or '$' or '@' ? EndOfString(text, at) : at;
    }

    private static int EndOfString(string text, int at)
    {
        int quote = at;
        int dollars = 0;
        bool verbatim = false;
        for (; quote < text.Length && text[quote] is '$' or '@'; quote++)
        {
            dollars += text[quote] == '$' ? 1 : 0;
            verbatim |= text[quote] == '@';
        }

        if (quote >= text.Length || text[quote] != '"')
        {
            return at;
        }

        int quotes = 0;
        while (quote + quotes < text.Length && text[quote + quotes] == '"')
        {
            quotes++;
        }

        if (quotes >= 3)
        {
            int end = text.IndexOf(new string('"', quotes), quote + quotes, StringComparison.Ordinal);
            return end < 0 ? text.Length : end + quotes;
        }

        int i = quote + 1;
        while (i < text.Length)
        {
            switch (text[i])
            {
                case '"' when verbatim && i + 1 < text.Length && text[i + 1] == '"':
                case '\\' when !verbatim:
                    i += 2;
                    break;
                case '"':
                    return i + 1;
                case '{' when dollars > 0 && i + 1 < text.Length && text[i + 1] == '{':
                    i += 2;
                    break;
                case '{' when dollars > 0:
                    i = EndOfHole(text, i);
                    break;
                default:
                    i++;
                    break;
            }
        }

        return text.Length;
    }

    // Past the closing brace of an interpolation hole, whatever literals it holds.
    private static int EndOfHole(string text, int at)
    {
        int depth = 0;
        while (at < text.Length)
        {
            int end = EndOfTrivia(text, at);
            if (end > at)
            {
                at = end;
                continue;
            }

            depth += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
            at++;
            if (depth == 0)
            {
                return at;
            }
        }

        return text.Length;
    }

    [GeneratedRegex(@"(^|\s)(namespace|class|struct|interface|enum|record(\s+(struct|class))?)\s+@?\w+[^()=]*(\(.*)?$", RegexOptions.Singleline)]
    private static partial Regex TypeHeader();

    [GeneratedRegex("=(?!>)")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"\((?>[^()]+|(?<open>\()|(?<-open>\)))*(?(open)(?!))\)", RegexOptions.Singleline)]
    private static partial Regex Parenthesised();

    [GeneratedRegex(@"([\w.]+)\s*(<[^()]*>)?\s*\(")]
    private static partial Regex MemberName();
}
