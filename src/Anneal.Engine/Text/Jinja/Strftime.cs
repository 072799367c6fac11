using System.Globalization;
using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>C's <c>strftime</c> with English names, as <c>strftime_now</c> gives it for a time without a zone.</summary>
internal static class Strftime
{
    private static readonly CultureInfo English = CultureInfo.InvariantCulture;

    public static string Format(Budget budget, DateTime time, string format)
    {
        StringBuilder to = new();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                to.Append(format[i]);
                continue;
            }

            // Flags of the GNU library: no padding, spaces, zeros, upper case, swapped case.
            char flag = format[i + 1] is '-' or '_' or '0' or '^' or '#' && i + 2 < format.Length ? format[++i] : '\0';
            to.Append(Directive(budget, time, format[++i], flag));
            budget.Grow(to.Length, 16);
        }

        return to.ToString();
    }

    private static string Directive(Budget budget, DateTime t, char directive, char flag) => directive switch
    {
        'Y' => Number(t.Year, 1, '0', flag),
        'C' => Number(t.Year / 100, 2, '0', flag),
        'y' => Number(t.Year % 100, 2, '0', flag),
        'G' => Number(ISOWeek.GetYear(t), 1, '0', flag),
        'g' => Number(ISOWeek.GetYear(t) % 100, 2, '0', flag),
        'm' => Number(t.Month, 2, '0', flag),
        'd' => Number(t.Day, 2, '0', flag),
        'e' => Number(t.Day, 2, ' ', flag),
        'j' => Number(t.DayOfYear, 3, '0', flag),
        'H' => Number(t.Hour, 2, '0', flag),
        'k' => Number(t.Hour, 2, ' ', flag),
        'I' => Number(((t.Hour + 11) % 12) + 1, 2, '0', flag),
        'l' => Number(((t.Hour + 11) % 12) + 1, 2, ' ', flag),
        'M' => Number(t.Minute, 2, '0', flag),
        'S' => Number(t.Second, 2, '0', flag),
        'f' => Number((int)(t.TimeOfDay.Ticks % TimeSpan.TicksPerSecond / 10), 6, '0', flag),
        'U' => Number((t.DayOfYear + 6 - (int)t.DayOfWeek) / 7, 2, '0', flag),
        'W' => Number((t.DayOfYear + 6 - (((int)t.DayOfWeek + 6) % 7)) / 7, 2, '0', flag),
        'V' => Number(ISOWeek.GetWeekOfYear(t), 2, '0', flag),
        'u' => Number((((int)t.DayOfWeek + 6) % 7) + 1, 1, '0', flag),
        'w' => Number((int)t.DayOfWeek, 1, '0', flag),
        'A' => Word(t.ToString("dddd", English), flag),
        'a' => Word(t.ToString("ddd", English), flag),
        'B' => Word(t.ToString("MMMM", English), flag),
        'b' or 'h' => Word(t.ToString("MMM", English), flag),
        'p' => flag == '#' ? t.ToString("tt", English).ToLowerInvariant() : t.ToString("tt", English),
        'P' => t.ToString("tt", English).ToLowerInvariant(),
        'c' => Word(Format(budget, t, "%a %b %e %H:%M:%S %Y"), flag),
        'x' or 'D' => Format(budget, t, "%m/%d/%y"),
        'X' or 'T' => Format(budget, t, "%H:%M:%S"),
        'R' => Format(budget, t, "%H:%M"),
        'r' => Format(budget, t, "%I:%M:%S %p"),
        'F' => Format(budget, t, "%Y-%m-%d"),
        's' => ((long)(t - DateTime.UnixEpoch).TotalSeconds).ToString(English),
        'n' => "\n",
        't' => "\t",
        'z' or 'Z' => "",
        '%' => "%",
        _ => flag == '\0' ? $"%{directive}" : $"%{flag}{directive}",
    };

    private static string Number(int value, int width, char pad, char flag)
    {
        string digits = value.ToString(English);
        return flag switch
        {
            '-' => digits,
            '_' => digits.PadLeft(width, ' '),
            '0' => digits.PadLeft(width, '0'),
            _ => digits.PadLeft(width, pad),
        };
    }

    private static string Word(string text, char flag) => flag is '^' or '#' ? text.ToUpperInvariant() : text;
}
