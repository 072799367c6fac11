using System.Globalization;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>The escapes of string literals.</summary>
internal static class StringLiteral
{
    /// <summary>What the characters between the quotes stand for.</summary>
    /// <exception cref="TemplateSyntaxException">An escape that is cut off or names no character.</exception>
    public static string Unescape(string body, int line)
    {
        if (!body.Contains('\\'))
        {
            return body;
        }

        StringBuilder to = new(body.Length);
        for (int i = 0; i < body.Length;)
        {
            if (body[i] != '\\' || i + 1 == body.Length)
            {
                to.Append(body[i++]);
                continue;
            }

            i = Escape(body, i + 1, to, line);
        }

        return to.ToString();
    }

    // Reads what follows a backslash; gives the position after it.
    private static int Escape(string body, int at, StringBuilder to, int line)
    {
        char c = body[at];
        switch (c)
        {
            case '\n': return at + 1;
            case '\\' or '\'' or '"': to.Append(c); return at + 1;
            case 'a': to.Append('\a'); return at + 1;
            case 'b': to.Append('\b'); return at + 1;
            case 'f': to.Append('\f'); return at + 1;
            case 'n': to.Append('\n'); return at + 1;
            case 'r': to.Append('\r'); return at + 1;
            case 't': to.Append('\t'); return at + 1;
            case 'v': to.Append('\v'); return at + 1;
            case 'x': return Hex(body, at, 2, to, line);
            case 'u': return Hex(body, at, 4, to, line);
            case 'U': return Hex(body, at, 8, to, line);
            case 'N':
                throw new TemplateSyntaxException("Chat templates here do not support character names (\\N{…}) in strings", line);
            case >= '0' and <= '7': return Octal(body, at, to);
            default: return Unknown(body, at, to);
        }
    }

    private static int Hex(string body, int at, int digits, StringBuilder to, int line)
    {
        if (at + digits >= body.Length
            || !int.TryParse(body.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
        {
            throw new TemplateSyntaxException($"truncated \\{body[at]}{new string('X', digits)} escape", line);
        }

        if (value is < 0 or > 0x10FFFF)
        {
            throw new TemplateSyntaxException("illegal Unicode character", line);
        }

        _ = value < 0x10000 ? to.Append((char)value) : to.Append(char.ConvertFromUtf32(value));
        return at + digits + 1;
    }

    private static int Octal(string body, int at, StringBuilder to)
    {
        int value = 0;
        int end = at;
        while (end < body.Length && end < at + 3 && body[end] is >= '0' and <= '7')
        {
            value = (value * 8) + (body[end++] - '0');
        }

        to.Append((char)value);
        return end;
    }

    // An unknown escape stays as it is. Jinja turns characters beyond ASCII into escapes before it looks at the text,
    // so behind a backslash they come out as the letters of that escape.
    private static int Unknown(string body, int at, StringBuilder to)
    {
        to.Append('\\');
        if (body[at] < 128)
        {
            to.Append(body[at]);
            return at + 1;
        }

        Rune.DecodeFromUtf16(body.AsSpan(at), out Rune rune, out int width);
        string format = rune.Value < 0x100 ? "x2" : rune.Value < 0x10000 ? "x4" : "x8";
        to.Append(rune.Value < 0x100 ? 'x' : rune.Value < 0x10000 ? 'u' : 'U');
        to.Append(rune.Value.ToString(format, CultureInfo.InvariantCulture));
        return at + width;
    }
}
