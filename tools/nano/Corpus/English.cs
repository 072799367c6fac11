namespace Anneal.Nano.Corpus;

/// <summary>The little grammar that the generated texts need.</summary>
internal static class English
{
    private static readonly string[] Small =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ];

    private static readonly string[] Tens =
        ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

    /// <summary>"an apple", "a pear".</summary>
    public static string A(string noun)
    {
        bool vowel = noun.Length > 0 && "aeiouAEIO".Contains(noun[0], StringComparison.Ordinal);
        bool exception = noun.StartsWith("use", StringComparison.Ordinal) || noun.StartsWith("uni",
            StringComparison.Ordinal)
            || noun.StartsWith("uku", StringComparison.Ordinal) || noun.StartsWith("one", StringComparison.Ordinal)
            || noun.StartsWith("Euro", StringComparison.Ordinal);
        bool silent = noun.StartsWith("hour", StringComparison.Ordinal) || noun.StartsWith("honest",
            StringComparison.Ordinal);
        return ((vowel && !exception) || silent ? "an " : "a ") + noun;
    }

    /// <summary>The word with a capital at its start.</summary>
    public static string Capital(string text) =>
        text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>Plural of a regular noun, and of the irregular ones in the lexicon.</summary>
    public static string Plural(string noun)
    {
        int space = noun.LastIndexOf(' ');
        string last = noun[(space + 1)..];
        foreach (string[] pair in Lexicon.Forms("plurals"))
        {
            if (pair[0] == last)
            {
                return noun[..(space + 1)] + pair[1];
            }
        }
        bool hissing = last.EndsWith('s') || last.EndsWith('x') || last.EndsWith('z')
            || last.EndsWith("ch", StringComparison.Ordinal) || last.EndsWith("sh", StringComparison.Ordinal);
        if (hissing)
        {
            return noun + "es";
        }
        bool consonantY = last.Length > 1 && last[^1] == 'y' && !"aeiou".Contains(last[^2], StringComparison.Ordinal);
        return consonantY ? noun[..^1] + "ies" : noun + "s";
    }

    /// <summary>"a, b and c".</summary>
    public static string And(IReadOnlyList<string> items) => Join(items, "and");

    /// <summary>"a, b or c".</summary>
    public static string Or(IReadOnlyList<string> items) => Join(items, "or");

    /// <summary>A whole number from 0 to 999 in words.</summary>
    public static string Number(int value)
    {
        if (value < 20)
        {
            return Small[value];
        }
        if (value < 100)
        {
            return Tens[value / 10] + (value % 10 == 0 ? "" : "-" + Small[value % 10]);
        }
        return Small[value / 100] + " hundred" + (value % 100 == 0 ? "" : " and " + Number(value % 100));
    }

    /// <summary>"1st", "22nd".</summary>
    public static string Ordinal(int value)
    {
        string ending = value % 100 is >= 11 and <= 13 ? "th" : (value % 10) switch { 1 => "st", 2 => "nd", 3 => "rd",
            _ => "th" };
        return value + ending;
    }

    /// <summary>Ends an instruction as a sentence: a question with its mark, anything else with the given sign.</summary>
    public static string Ask(string instruction, char sign)
    {
        if (instruction[^1] is '.' or '?' or '!')
        {
            return instruction;
        }
        string last = instruction[(instruction.LastIndexOf(". ", StringComparison.Ordinal) + 1)..].TrimStart();
        string word = last[..Math.Max(0, last.IndexOf(' ', StringComparison.Ordinal))];
        bool question = word is "What" or "Which" or "Is" or "Does" or "How" or "Who" or "Where" or "Why";
        return instruction + (question ? '?' : sign);
    }

    private static string Join(IReadOnlyList<string> items, string word) => items.Count switch
    {
        0 => "",
        1 => items[0],
        _ => string.Join(", ", items.Take(items.Count - 1)) + $" {word} " + items[^1],
    };
}
