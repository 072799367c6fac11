using Spectre.Console;
using Spectre.Console.Rendering;

namespace Anneal.Cli.Terminal;

/// <summary>
/// What a verb sees of the outside: its streams, whether people watch them, the environment, the clock. Tests make their own.
/// </summary>
internal sealed class Shell
{
    /// <summary>Columns of help texts, and of the smallest terminal that everything fits.</summary>
    public const int HelpWidth = 80;

    // Wide enough that nothing is ever cut or wrapped for a program that reads the output.
    private const int UnlimitedWidth = 10_000;

    /// <summary>Standard output: data, and nothing else.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error: faults, notes, progress of verbs whose output is data.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Standard input.</summary>
    public required TextReader In { get; init; }

    /// <summary>True when somebody watches standard output.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>True when somebody watches standard error.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>True when somebody types.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Columns of the terminal.</summary>
    public int Columns { get; init; } = HelpWidth;

    /// <summary>Reads an environment variable.</summary>
    public Func<string, string?> Variable { get; init; } = _ => null;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How the user calls this program; the launcher tells.</summary>
    public string Command => Variable("ANNEAL_COMMAND") is { Length: > 0 } name ? name : "anneal";

    /// <summary>Whether colours are wanted: see https://no-color.org.</summary>
    public bool Color => string.IsNullOrEmpty(Variable("NO_COLOR")) && Variable("TERM") != "dumb";

    /// <summary>The process's own streams.</summary>
    public static Shell ForProcess()
    {
        // Characters that a terminal cannot show would come out as question marks in the system's own encoding.
        var utf8 = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new Shell
        {
            Out = new StreamWriter(Console.OpenStandardOutput(), utf8) { AutoFlush = true },
            Error = new StreamWriter(Console.OpenStandardError(), utf8) { AutoFlush = true },
            In = Console.In,
            OutIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            InIsTerminal = !Console.IsInputRedirected,
            Columns = Width(),
            Variable = Environment.GetEnvironmentVariable,
        };
    }

    /// <summary>The same shell with what is for people on standard error.</summary>
    public Shell OnError() => new()
    {
        Out = Error,
        Error = Error,
        In = In,
        OutIsTerminal = ErrorIsTerminal,
        ErrorIsTerminal = ErrorIsTerminal,
        InIsTerminal = InIsTerminal,
        Columns = Columns,
        Variable = Variable,
        Time = Time,
    };

    /// <summary>A console on standard output: with colours and cursor movement when somebody watches, plain otherwise.</summary>
    public IAnsiConsole OutConsole() => On(Out, OutIsTerminal);

    /// <summary>Writes something laid out to standard output; without trailing spaces when a program reads it.</summary>
    public void Write(IRenderable renderable)
    {
        if (OutIsTerminal)
        {
            OutConsole().Write(renderable);
            return;
        }

        Out.Write(Plain(renderable, UnlimitedWidth));
    }

    /// <summary>Writes one line of markup to standard output.</summary>
    public void Line(string markup) => Write(new Rows(new Markup(markup)));

    /// <summary>A renderable as plain text, without trailing spaces.</summary>
    public static string Plain(IRenderable renderable, int columns)
    {
        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = columns;
        console.Write(renderable);
        return string.Join('\n', text.ToString().Split('\n').Select(line => line.TrimEnd()));
    }

    private IAnsiConsole On(TextWriter writer, bool terminal)
    {
        bool ansi = terminal && Variable("TERM") != "dumb";
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = ansi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ansi && Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = ansi ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = terminal ? Columns : UnlimitedWidth;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    private static int Width()
    {
        try
        {
            return Console.WindowWidth is > 0 and int width ? width : HelpWidth;
        }
        catch (IOException)
        {
            return HelpWidth;
        }
    }
}
