namespace Anneal.Cli.Terminal;

/// <summary>A curve in one line of text.</summary>
internal static class Sparkline
{
    private const string Levels = "▁▂▃▄▅▆▇█";

    /// <summary>
    /// Draws values from left to right. More values than columns are averaged by column; the lowest column stands on the floor and
    /// the highest touches the ceiling.
    /// </summary>
    public static string Of(IReadOnlyList<double> values, int columns)
    {
        if (values.Count == 0 || columns <= 0)
        {
            return "";
        }

        int width = Math.Min(columns, values.Count);
        var means = new double[width];
        for (int column = 0; column < width; column++)
        {
            int from = (int)((long)column * values.Count / width);
            int to = (int)((column + 1L) * values.Count / width);
            double sum = 0;
            for (int i = from; i < to; i++)
            {
                sum += values[i];
            }

            means[column] = sum / (to - from);
        }

        double low = means.Min();
        double span = means.Max() - low;
        return string.Concat(means.Select(mean =>
            Levels[span > 0 ? (int)Math.Round((mean - low) / span * (Levels.Length - 1)) : 0]));
    }
}
