using Anneal.Cli;
using Anneal.Cli.Terminal;

namespace Anneal.Api.Tests.Cli;

/// <summary>What a command line printed and how it ended.</summary>
internal sealed record Ran(int Code, string Out, string Error)
{
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Runs command lines inside the test process, as programs see them unless told otherwise.</summary>
internal static class CommandLine
{
    public static Task<Ran> RunAsync(TestServer server, params string[] arguments) =>
        RunAsync(Variables(server), arguments);

    public static Task<Ran> RunAsync(params string[] arguments) => RunAsync([], arguments);

    public static async Task<Ran> RunAsync(
        Dictionary<string, string> variables, string[] arguments, string input = "", bool terminal = false, CancellationToken cancellation = default)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await Root.RunAsync(arguments, new Shell
        {
            Out = output,
            Error = error,
            In = new StringReader(input),
            OutIsTerminal = terminal,
            ErrorIsTerminal = terminal,
            InIsTerminal = terminal,
            Variable = variables.GetValueOrDefault,
            Time = new ShiftedClock(),
        }, cancellation);
        return new Ran(code, output.ToString(), error.ToString());
    }

    public static Dictionary<string, string> Variables(TestServer server) => new()
    {
        ["OPENAI_BASE_URL"] = server.Url + "/v1",
        ["OPENAI_API_KEY"] = server.Key,
    };

    /// <summary>The real clock in UTC, wherever the tests run.</summary>
    private sealed class ShiftedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }
}
