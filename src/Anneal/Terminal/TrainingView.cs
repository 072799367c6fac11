using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Anneal.Cli.Terminal;

/// <summary>A training run on the screen: bar, loss with its curve, speed and time left. Four lines that fit the terminal.</summary>
internal sealed class TrainingView
{
    private const int ColumnsMax = 100;

    private readonly List<double> _losses = [];

    /// <summary>What is trained, at the top.</summary>
    public string Title { get; set; } = "";

    /// <summary>What is going on, beside the title.</summary>
    public string Status { get; set; } = "";

    /// <summary>Steps done.</summary>
    public int Step { get; set; }

    /// <summary>Steps of the whole run; 0 while not known.</summary>
    public int TotalSteps { get; set; }

    /// <summary>Latest loss on validation data.</summary>
    public double? ValidationLoss { get; set; }

    /// <summary>Speed of the latest steps.</summary>
    public double? TokensPerSecond { get; set; }

    /// <summary>Time until the end, as far as it can be told.</summary>
    public TimeSpan? Left { get; set; }

    /// <summary>A sentence below the rest: the latest message.</summary>
    public string Note { get; set; } = "";

    /// <summary>Adds a step's loss to the curve.</summary>
    public void AddLoss(double loss) => _losses.Add(loss);

    /// <summary>The view for a terminal of so many columns.</summary>
    public IRenderable Render(int columns)
    {
        int width = Math.Min(columns, ColumnsMax) - 1;
        var lines = new List<IRenderable> { new Markup($"[bold]{Markup.Escape(Title)}[/]  {Markup.Escape(Status)}") };
        if (TotalSteps > 0)
        {
            lines.Add(new Markup(Bar(width)));
            lines.Add(new Markup(Curve(width)));
            lines.Add(new Markup(Speed()));
        }

        if (Note.Length > 0)
        {
            lines.Add(new Text(Note, new Style(decoration: Decoration.Dim)) { Overflow = Overflow.Ellipsis });
        }

        return new Rows(lines);
    }

    private string Bar(int width)
    {
        double share = Math.Clamp((double)Step / TotalSteps, 0, 1);
        string count = string.Create(CultureInfo.InvariantCulture, $"  step {Step}/{TotalSteps}  {(int)(share * 100),3} %");
        int halves = (int)(share * (width - count.Length) * 2);
        int bar = width - count.Length;
        string done = new string('━', halves / 2) + (halves % 2 == 1 ? "╸" : "");
        return $"[green]{done}[/][dim]{new string('─', bar - done.Length)}[/]{count}";
    }

    private string Curve(int width)
    {
        if (_losses.Count == 0)
        {
            return "loss –";
        }

        string loss = $"loss {Format.Loss(_losses[^1])}  ";
        string valid = ValidationLoss is double value ? $"  valid {Format.Loss(value)}" : "";
        return $"{loss}[blue]{Sparkline.Of(_losses, width - loss.Length - valid.Length)}[/]{valid}";
    }

    private string Speed()
    {
        string speed = TokensPerSecond is double rate ? $"{Format.Rate(rate)} tokens/s" : "";
        string left = Left is TimeSpan time ? $"{Format.Duration(time)} left" : "";
        return string.Join("  ·  ", new[] { speed, left }.Where(part => part.Length > 0));
    }
}
