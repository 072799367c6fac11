using System.Globalization;

namespace Anneal.Nano;

/// <summary>A command and its options, each of them <c>--name value</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = [];
    private readonly HashSet<string> _used = [];

    private Arguments(string command) => Command = command;

    /// <summary>The first word; empty when there is none.</summary>
    public string Command { get; }

    /// <summary>Reads the words of a command line.</summary>
    /// <exception cref="ArgumentException">A word that is no option, or an option without a value.</exception>
    public static Arguments Parse(IReadOnlyList<string> words)
    {
        Arguments arguments = new(words.Count > 0 ? words[0] : "");
        for (int i = 1; i < words.Count; i += 2)
        {
            if (!words[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == words.Count)
            {
                throw new ArgumentException($"'{words[i]}' should be an option with a value, as in --threads 2.");
            }
            arguments._values[words[i][2..]] = words[i + 1];
        }
        return arguments;
    }

    /// <summary>The text of an option.</summary>
    public string Text(string name, string fallback)
    {
        _used.Add(name);
        return _values.GetValueOrDefault(name, fallback);
    }

    /// <summary>The whole number of an option.</summary>
    /// <exception cref="ArgumentException">It is none, or below 0.</exception>
    public int Number(string name, int fallback)
    {
        string text = Text(name, fallback.ToString(CultureInfo.InvariantCulture));
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new ArgumentException($"--{name} is '{text}'; it should be a whole number.");
    }

    /// <summary>The number of an option.</summary>
    /// <exception cref="ArgumentException">It is none, or not above 0.</exception>
    public double Real(string name, double fallback)
    {
        string text = Text(name, fallback.ToString(CultureInfo.InvariantCulture));
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number > 0
            ? number
            : throw new ArgumentException($"--{name} is '{text}'; it should be a number above 0.");
    }

    /// <summary>Throws if an option was given that nothing has asked for.</summary>
    public void RequireAllUsed()
    {
        string? unknown = _values.Keys.FirstOrDefault(name => !_used.Contains(name));
        if (unknown is not null)
        {
            throw new ArgumentException($"--{unknown} is no option of {Command}.");
        }
    }
}
