using System.Globalization;

namespace Anneal.Cli.Terminal;

/// <summary>Numbers and times as people read them; the same in every locale.</summary>
internal static class Format
{
    /// <summary>A whole number with thousands separators.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A rate, with a decimal only when it is small.</summary>
    public static string Rate(double value) => value >= 100 ? Count((long)Math.Round(value)) : value.ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>A loss or another small number.</summary>
    public static string Loss(double value) => value.ToString(value < 0.1 ? "0.0000" : "0.000", CultureInfo.InvariantCulture);

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double share) => (share * 100).ToString(share is > 0 and < 0.1 ? "0.0" : "0", CultureInfo.InvariantCulture) + " %";

    /// <summary>A duration: 0:07, 12:30, 1:02:03.</summary>
    public static string Duration(TimeSpan time)
    {
        TimeSpan whole = TimeSpan.FromSeconds(Math.Ceiling(Math.Max(0, time.TotalSeconds)));
        return whole.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)whole.TotalHours}:{whole.Minutes:00}:{whole.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{whole.Minutes}:{whole.Seconds:00}");
    }

    /// <summary>A size: 812 B, 12.3 kB, 4.0 MB.</summary>
    public static string Bytes(long bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB"];
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return value.ToString(unit == 0 || value >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    /// <summary>A moment in twelve columns: without the year as long as that is clear.</summary>
    public static string Brief(DateTimeOffset moment, TimeProvider time)
    {
        bool recent = (time.GetUtcNow() - moment).Duration() < TimeSpan.FromDays(180);
        return TimeZoneInfo.ConvertTime(moment, time.LocalTimeZone)
            .ToString(recent ? "MMM dd HH:mm" : "yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    /// <summary>A moment in the time zone of the clock.</summary>
    public static string Moment(DateTimeOffset moment, TimeProvider time) =>
        TimeZoneInfo.ConvertTime(moment, time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
