using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Anneal.Cli;
using Anneal.Cli.Terminal;

namespace Anneal.Api.Tests.Cli;

public sealed partial class HelpTests
{
    [Fact]
    public async Task Help_lists_every_verb_at_80_columns()
    {
        Ran ran = await CommandLine.RunAsync("--help");
        Assert.Equal(0, ran.Code);
        Golden.Check("help.txt", ran.Out);
        Golden.Fits(ran.Out);
    }

    [Fact]
    public async Task Every_verb_has_help_that_fits_80_columns_and_describes_each_option()
    {
        foreach (string[] path in Paths(Tree(), []))
        {
            Ran ran = await CommandLine.RunAsync([.. path, "--help"]);
            Assert.Equal(0, ran.Code);
            Golden.Fits(ran.Out);
        }

        Assert.All(Commands(Tree()), command => Assert.All(
            command.Options.Where(option => option.Name != "--help"),
            option => Assert.False(string.IsNullOrEmpty(option.Description), $"{command.Name} {option.Name}")));
    }

    [Theory]
    [InlineData("train", "--model --data --validation --out --full --rank --alpha --targets --dropout --adapter --epochs --batch-size "
        + "--learning-rate --schedule --warmup-steps --weight-decay --clip --max-length --seed --precision --threads --memory --json")]
    [InlineData("score", "--model --adapter --data --json")]
    [InlineData("tokenize", "--model --data --json")]
    [InlineData("bench", "--model --shape --method --seq --batch --precision --json")]
    [InlineData("serve", "--data --port --json")]
    [InlineData("quickstart", "--data --json")]
    public void Options_that_other_programs_use_are_there(string verb, string options)
    {
        Command command = Tree().Subcommands.Single(known => known.Name == verb);
        Assert.Empty(options.Split(' ').Except(command.Options.Select(option => option.Name)));
    }

    [Fact]
    public async Task The_version_is_a_number()
    {
        Ran ran = await CommandLine.RunAsync("--version");
        Assert.Equal(0, ran.Code);
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", ran.Out);
    }

    [Theory]
    [InlineData("", "Usage:")]
    [InlineData("jobs", "Usage:")]
    [InlineData("fils", "anneal: 'anneal' has no verb 'fils'. Did you mean 'files'? See 'anneal --help'.")]
    [InlineData("jobs lst", "anneal: 'anneal jobs' has no verb 'lst'. Did you mean 'list'? See 'anneal jobs --help'.")]
    [InlineData("jobs create", "anneal: Option '--model' is required. See 'anneal jobs create --help'.")]
    [InlineData("jobs list --limt 3", "anneal: 'anneal jobs list' has no option '--limt'. Did you mean '--limit'? See 'anneal jobs list --help'.")]
    [InlineData("serve --port 70000", "anneal: --port is 70000; 0 to 65535 is possible. See 'anneal serve --help'.")]
    [InlineData("serve --bind here", "anneal: --bind wants an IP address such as 127.0.0.1 or 0.0.0.0, not 'here'.")]
    [InlineData("train --model m --data d --out o --full --rank 4", "anneal: --rank is for adapters; --full trains without one.")]
    [InlineData("train --model m --data d --out o --adapter a --alpha 4", "anneal: --alpha cannot be changed when going on from an adapter.")]
    [InlineData("train --model m --data d --out o --precision bf16", "anneal: --precision bf16 is not supported; fp32 is.")]
    [InlineData("train --model m --data d --out o --epochs 0", "anneal: --epochs is 0; at least 1 is wanted. See 'anneal train --help'.")]
    [InlineData("train --model m --data d --out o --learning-rate fast", "anneal: --learning-rate wants a number, not 'fast'. See 'anneal train --help'.")]
    [InlineData("bench", "anneal: bench wants either --model DIR or --shape NAME.")]
    [InlineData("bench --shape huge", "anneal: There is no shape 'huge'; known are 0.5b, 124m, 135m, 1b, nano.")]
    [InlineData("files list", "anneal: OPENAI_API_KEY is not set.")]
    public async Task Wrong_usage_is_one_line_and_exit_code_2(string line, string expected)
    {
        Ran ran = await CommandLine.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, ran.Code);
        Assert.Empty(ran.Out);
        Assert.Contains(expected, ran.Error);
    }

    [Fact]
    public void Every_command_in_the_documents_is_understood()
    {
        var wrong = new List<string>();
        foreach (string file in new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md" }.Concat(Directory.GetFiles(Path.Combine(Root_(), "docs"), "*.md")))
        {
            foreach (Match match in DocumentedCommand().Matches(File.ReadAllText(Path.Combine(Root_(), file))))
            {
                string[] arguments = Words(match.Groups[1].Value);
                ParseResult parsed = Tree().Parse(arguments);
                wrong.AddRange(parsed.Errors.Select(error => $"{file}: {match.Value}: {error.Message}"));
            }
        }

        Assert.Empty(wrong);
    }

    internal static Command Tree() => Root.Create(new Shell { Out = TextWriter.Null, Error = TextWriter.Null, In = TextReader.Null });

    internal static string Root_()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Anneal.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder!;
    }

    /// <summary>A line of shell as arguments: quotes respected, comments cut off.</summary>
    internal static string[] Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        char quote = '\0';
        foreach (char c in line.Split(" #")[0] + " ")
        {
            if (quote == '\0' && c == ' ')
            {
                if (word.Length > 0)
                {
                    words.Add(word.ToString());
                }

                word.Clear();
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
            }
            else if (quote != '\0' && c == quote)
            {
                quote = '\0';
            }
            else
            {
                word.Append(c);
            }
        }

        return [.. words];
    }

    private static IEnumerable<string[]> Paths(Command command, string[] path)
    {
        yield return path;
        foreach (Command verb in command.Subcommands)
        {
            foreach (string[] inner in Paths(verb, [.. path, verb.Name]))
            {
                yield return inner;
            }
        }
    }

    private static IEnumerable<Command> Commands(Command command) => command.Subcommands.SelectMany(Commands).Prepend(command);

    // Inside code: a whole line of a block, or a span between back quotes.
    [GeneratedRegex(@"(?:^|`)\./anneal ([^`\n]+)", RegexOptions.Multiline)]
    private static partial Regex DocumentedCommand();
}
