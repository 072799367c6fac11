using Spectre.Console;

namespace Anneal.Cli.Terminal;

/// <summary>
/// A table without lines: a heading, then a row an item. Columns are as wide as they need; on a terminal the last is cut, so it holds what
/// can be long.
/// </summary>
internal sealed class Listing(params string[] headings)
{
    private const int Gap = 2;

    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row of plain texts.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Prints it; or a sentence on standard error when it is empty. A heading that begins with a space is for numbers.</summary>
    public void Write(Shell shell, string whenEmpty)
    {
        if (_rows.Count == 0)
        {
            shell.Error.WriteLine(whenEmpty);
            return;
        }

        int[] widths = [.. headings.Select((heading, i) =>
            Math.Max(heading.Trim().Length, _rows.Max(row => row[i].GetCellWidth())))];
        int before = widths[..^1].Sum(width => width + Gap);
        int room = shell.OutIsTerminal ? Math.Max(1, shell.Columns - before) : int.MaxValue;
        shell.Line($"[dim]{Markup.Escape(Line([.. headings.Select(heading => heading.Trim().ToUpperInvariant())], widths, room))}[/]");
        foreach (string[] row in _rows)
        {
            shell.Out.WriteLine(Line(row, widths, room));
        }
    }

    private string Line(string[] cells, int[] widths, int room)
    {
        var line = new System.Text.StringBuilder();
        for (int i = 0; i < cells.Length; i++)
        {
            bool last = i == cells.Length - 1;
            string cell = last ? Cut(cells[i], room) : cells[i];
            string space = new(' ', Math.Max(0, widths[i] - cell.GetCellWidth()));
            bool number = headings[i].StartsWith(' ');
            line.Append(number ? space + cell : last ? cell : cell + space);
            line.Append(last ? "" : new string(' ', Gap));
        }

        return line.ToString().TrimEnd();
    }

    private static string Cut(string cell, int room)
    {
        if (cell.GetCellWidth() <= room)
        {
            return cell;
        }

        int kept = cell.Length;
        while (kept > 0 && cell[..kept].GetCellWidth() > room - 1)
        {
            kept--;
        }

        return cell[..kept] + "…";
    }
}
