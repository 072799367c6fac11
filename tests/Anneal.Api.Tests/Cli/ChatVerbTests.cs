using System.Text.Json.Nodes;

namespace Anneal.Api.Tests.Cli;

/// <summary><c>anneal chat</c> with a tiny model: what it says is nonsense, but always the same nonsense.</summary>
public sealed class ChatVerbTests
{
    private static readonly string[] Plain = ["chat", "--model", TestServer.BaseModel, "--temperature", "0", "--max-tokens", "8"];

    [Fact]
    public async Task One_question_gets_one_answer_from_the_argument_or_from_standard_input()
    {
        await using TestServer server = await TestServer.StartAsync();
        Ran asked = await CommandLine.RunAsync(server, [.. Plain, "Hello?"]);
        Assert.Equal((0, ""), (asked.Code, asked.Error));
        Ran piped = await CommandLine.RunAsync(CommandLine.Variables(server), Plain, input: "Hello?\n");
        Assert.Equal(asked, piped);

        Ran json = await CommandLine.RunAsync(server, [.. Plain, "Hello?", "--json"]);
        JsonNode answer = JsonNode.Parse(json.Out)!;
        Assert.Equal(asked.Out, answer["choices"]![0]!["message"]!["content"]!.GetValue<string>() + "\n");
        Assert.Equal(8, answer["usage"]!["completion_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_conversation_remembers_until_it_is_reset_and_survives_a_refusal()
    {
        await using TestServer server = await TestServer.StartAsync();
        Dictionary<string, string> variables = CommandLine.Variables(server);
        string tooLong = string.Join(' ', Enumerable.Repeat("word", 2000));
        Ran talk = await CommandLine.RunAsync(
            variables, Plain, input: $"Hello?\n\nHello?\n/reset\nHello?\n{tooLong}\n/reset\nHello?\n/exit\nHello?\n", terminal: true);
        Assert.Equal(0, talk.Code);
        string[] faults = [.. talk.Error.Split('\n').Where(line => line.Contains("anneal: "))];
        Assert.Single(faults);

        Ran once = await CommandLine.RunAsync(server, [.. Plain, "Hello?"]);
        string[] answers = talk.Out.Split(once.Out);
        Assert.True(answers.Length >= 4, talk.Out);
    }

    [Fact]
    public async Task An_unknown_model_is_one_line()
    {
        await using TestServer server = await TestServer.StartAsync();
        Ran ran = await CommandLine.RunAsync(server, "chat", "--model", "gpt-9", "Hi");
        Assert.Equal((1, ""), (ran.Code, ran.Out));
        Assert.Equal("anneal: The model `gpt-9` does not exist or you do not have access to it.\n", ran.Error);
    }
}
