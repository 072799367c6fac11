using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Reflection;
using Anneal.Cli.Commands;
using Anneal.Cli.Terminal;

namespace Anneal.Cli;

/// <summary>The command and its verbs.</summary>
internal static class Root
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Tried and failed.</summary>
    public const int Failed = 1;

    /// <summary>Not understood.</summary>
    public const int WrongUsage = 2;

    /// <summary>The program's version.</summary>
    public static string Version { get; } =
        typeof(Root).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Runs the command line.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Shell shell, CancellationToken cancellation)
    {
        ParseResult parsed = Create(shell).Parse(arguments);

        // Signals are handled in Program.cs and faults in Verb.cs, so the library is told to leave both alone.
        var invocation = new InvocationConfiguration
        {
            Output = shell.Out,
            Error = shell.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        bool help = parsed.Action is HelpAction;
        return parsed.Errors.Count > 0 && !help ? Refuse(shell, parsed) : await parsed.InvokeAsync(invocation, cancellation);
    }

    /// <summary>The command with all its verbs.</summary>
    public static Command Create(Shell shell)
    {
        var help = new HelpOption { Description = "Show this help." };
        if (help.Action is HelpAction action)
        {
            action.MaxWidth = Shell.HelpWidth;
        }

        var version = new Option<bool>("--version") { Description = "Show the version." };
        var root = new Command("anneal", "Fine-tune language models on your own machine, with OpenAI's API.") { help, version };
        foreach (Command verb in Verbs(shell))
        {
            root.Add(verb);
        }

        root.SetAction(parsed =>
        {
            if (parsed.GetValue(version))
            {
                shell.Out.WriteLine(Version);
                return Done;
            }

            return ShowHelp(shell, parsed.CommandResult);
        });
        return root;
    }

    private static IEnumerable<Command> Verbs(Shell shell)
    {
        yield return QuickstartCommand.Create(shell);
        yield return ServeCommand.Create(shell);
        yield return WorkerCommand.Create(shell);
        yield return FilesCommand.Create(shell);
        yield return JobsCommand.Create(shell);
        yield return ModelsCommand.Create(shell);
        yield return ChatCommand.Create(shell);
        yield return KeysCommand.Create(shell);
        yield return DataCommand.Create(shell);
        yield return TrainCommand.Create(shell);
        yield return ScoreCommand.Create(shell);
        yield return TokenizeCommand.Create(shell);
        yield return BenchCommand.Create(shell);
    }

    private static int Refuse(Shell shell, ParseResult parsed)
    {
        CommandResult at = parsed.CommandResult;
        string path = string.Join(' ', Path(at));
        if (parsed.UnmatchedTokens.Count > 0)
        {
            string token = parsed.UnmatchedTokens[0];
            string what = at.Command.Subcommands.Count > 0 && !token.StartsWith('-') ? "verb" : token.StartsWith('-') ? "option" : "argument";
            shell.Error.WriteLine($"anneal: '{path}' has no {what} '{token}'.{Suggestion(at.Command, token)} See '{path} --help'.");
            return WrongUsage;
        }

        if (at.Command.Action is null)
        {
            return ShowHelp(shell, at);
        }

        shell.Error.WriteLine($"anneal: {parsed.Errors[0].Message.TrimEnd('.')}. See '{path} --help'.");
        return WrongUsage;
    }

    // A verb of verbs without one: what there is, on standard error, because nothing was done.
    private static int ShowHelp(Shell shell, CommandResult at)
    {
        string[] path = [.. Path(at)];
        Create(shell).Parse([.. path[1..], "--help"]).Invoke(new InvocationConfiguration { Output = shell.Error });
        return WrongUsage;
    }

    private static string Suggestion(Command command, string token)
    {
        IEnumerable<string> known = command.Subcommands.Select(verb => verb.Name).Concat(command.Options.Select(option => option.Name));
        string? near = known.MinBy(name => Distance(name, token));
        return near is not null && Distance(near, token) <= Math.Max(1, token.Length / 3) ? $" Did you mean '{near}'?" : "";
    }

    // Levenshtein's: insertions, deletions and replacements from one word to the other.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }

    private static IEnumerable<string> Path(CommandResult at)
    {
        var names = new Stack<string>();
        for (CommandResult? step = at; step is not null; step = step.Parent as CommandResult)
        {
            names.Push(step.Command.Name);
        }

        return names;
    }
}
