using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Anneal.Cli.Terminal;
using Anneal.Client;

namespace Anneal.Cli.Commands;

/// <summary>Something in the arguments that only shows when the verb runs.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What all verbs have in common: how they are made, how they report faults, how they print JSON.</summary>
internal static class Verb
{
    // Where `anneal serve` listens unless told otherwise.
    private const string LocalServer = "http://127.0.0.1:8642/v1";

    /// <summary>A verb that does something.</summary>
    public static Command Of(
        string name, string description, Shell shell, Func<ParseResult, CancellationToken, Task<int>> action, params Symbol[] symbols)
    {
        var command = new Command(name, description);
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Option option)
            {
                command.Add(option);
            }
            else if (symbol is Argument argument)
            {
                command.Add(argument);
            }
        }

        command.SetAction((parsed, cancellation) => RunAsync(shell, () => action(parsed, cancellation), cancellation));
        return command;
    }

    /// <summary>A verb that only has verbs of its own.</summary>
    public static Command Group(string name, string description, params Command[] verbs)
    {
        var group = new Command(name, description);
        foreach (Command verb in verbs)
        {
            group.Add(verb);
        }

        return group;
    }

    /// <summary><c>--json</c>: for programs.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Print JSON, for programs." };

    /// <summary>A client for the service that the environment names, or for the server on this machine.</summary>
    /// <exception cref="UsageException">There is no key, or the address is none.</exception>
    /// <param name="shell">Has the environment.</param>
    /// <param name="retries">How often a lost connection is tried again.</param>
    public static AnnealClient Client(Shell shell, int retries = 2)
    {
        string? key = shell.Variable("OPENAI_API_KEY");
        string? url = shell.Variable("OPENAI_BASE_URL");
        url = string.IsNullOrWhiteSpace(url) ? LocalServer : url;
        if (!Uri.TryCreate(url.Trim(), UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"OPENAI_BASE_URL is '{url}', which is not a URL such as {LocalServer}.");
        }

        if (string.IsNullOrWhiteSpace(key))
        {
            throw new UsageException(
                "OPENAI_API_KEY is not set. The server printed a key at its first start; it is in the file api-key of its data folder.");
        }

        return new AnnealClient(new AnnealClientOptions { BaseUrl = address, ApiKey = key.Trim(), Time = shell.Time, RetriesMax = retries });
    }

    /// <summary>Prints one line of JSON.</summary>
    public static void WriteJson<T>(Shell shell, T value, JsonTypeInfo<T> type) =>
        shell.Out.WriteLine(JsonSerializer.Serialize(value, type));

    private static async Task<int> RunAsync(Shell shell, Func<Task<int>> action, CancellationToken cancellation)
    {
        try
        {
            return await action();
        }
        catch (UsageException fault)
        {
            return Tell(shell, fault.Message, Root.WrongUsage);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Tell(shell, "interrupted", Root.Failed);
        }
        catch (Exception fault) when (Faults.Describe(fault) is string message)
        {
            return Tell(shell, message, Root.Failed);
        }
        catch (Exception fault)
        {
            // Not foreseen, so a bug: whoever mends it needs the whole of it.
            shell.Error.WriteLine("anneal: this is a bug in Anneal. Please report it with these lines:");
            shell.Error.WriteLine(fault.ToString());
            return Root.Failed;
        }
    }

    private static int Tell(Shell shell, string message, int code)
    {
        shell.Error.WriteLine("anneal: " + message.ReplaceLineEndings(" "));
        return code;
    }
}
