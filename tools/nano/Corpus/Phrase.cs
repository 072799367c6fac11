using System.Text;
using Anneal.Nano.Corpus.Skills;

namespace Anneal.Nano.Corpus;

/// <summary>
/// Expands phrase patterns. <c>[a|b]</c> is a choice and may be nested, <c>{0}</c> an argument (inserted as it is, never
/// expanded), <c>{fruit}</c> a word of a list of the lexicon,
/// <c>{first}</c> and <c>{company}</c> made-up names; <c>{a:…}</c> puts the indefinite article before it,
/// <c>{cap:…}</c> a capital at its start.
/// </summary>
internal static class Phrase
{
    /// <summary>One expansion of a pattern.</summary>
    /// <exception cref="FormatException">Brackets do not match.</exception>
    public static string Say(this Dice dice, string pattern, params ReadOnlySpan<string> arguments)
    {
        StringBuilder text = new();
        Expand(dice, pattern, arguments, text);
        return text.ToString();
    }

    private static void Expand(Dice dice, ReadOnlySpan<char> pattern, ReadOnlySpan<string> arguments,
        StringBuilder text)
    {
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '[')
            {
                int end = Match(pattern, i);
                Expand(dice, Choose(dice, pattern[(i + 1)..end]), arguments, text);
                i = end;
            }
            else if (pattern[i] == '{')
            {
                int end = i + pattern[i..].IndexOf('}');
                text.Append(Slot(dice, pattern[(i + 1)..end].ToString(), arguments));
                i = end;
            }
            else
            {
                text.Append(pattern[i]);
            }
        }
    }

    private static int Match(ReadOnlySpan<char> pattern, int open)
    {
        int depth = 0;
        for (int i = open; i < pattern.Length; i++)
        {
            depth += pattern[i] == '[' ? 1 : pattern[i] == ']' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }
        throw new FormatException($"A bracket is not closed: {pattern}");
    }

    private static ReadOnlySpan<char> Choose(Dice dice, ReadOnlySpan<char> choices)
    {
        List<Range> parts = [];
        int depth = 0, start = 0;
        for (int i = 0; i < choices.Length; i++)
        {
            depth += choices[i] == '[' ? 1 : choices[i] == ']' ? -1 : 0;
            if (choices[i] == '|' && depth == 0)
            {
                parts.Add(start..i);
                start = i + 1;
            }
        }
        parts.Add(start..choices.Length);
        return choices[dice.Pick(parts)];
    }

    private static string Slot(Dice dice, string slot, ReadOnlySpan<string> arguments)
    {
        int colon = slot.IndexOf(':', StringComparison.Ordinal);
        string key = slot[(colon + 1)..];
        string value = char.IsAsciiDigit(key[0])
            ? arguments[int.Parse(key, System.Globalization.CultureInfo.InvariantCulture)]
            : key switch
            {
                "first" => Cast.First(dice, out _),
                "company" => Cast.Company(dice),
                _ => dice.Pick(Lexicon.Words(key)),
            };
        return colon < 0 ? value : slot[..colon] switch
        {
            "a" => English.A(value),
            "cap" => English.Capital(value),
            var other => throw new FormatException($"Unknown modifier '{other}' in '{slot}'."),
        };
    }
}
