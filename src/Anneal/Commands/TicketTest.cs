using System.Text.Json;
using System.Text.Json.Nodes;
using Anneal.Client;

namespace Anneal.Cli.Commands;

/// <summary>A question with the answer that is wanted and those that were given.</summary>
/// <param name="Messages">The conversation up to the answer.</param>
/// <param name="Expected">The answer that is wanted: a JSON object.</param>
internal sealed record Ticket(IReadOnlyList<ChatMessage> Messages, string Expected)
{
    /// <summary>The ticket's own text.</summary>
    public string Question => Messages[^1].Content ?? "";

    /// <summary>The base model's answer.</summary>
    public string Base { get; set; } = "";

    /// <summary>The tuned model's answer.</summary>
    public string Tuned { get; set; } = "";
}

/// <summary>Asks a model a file of questions, many at once, and compares its answers.</summary>
internal static class TicketTest
{
    private const int RequestsAtOnce = 16;
    private const int AnswerTokensMax = 64;

    /// <summary>Reads questions in the training format: the last message is the answer.</summary>
    public static async Task<List<Ticket>> ReadAsync(string path, CancellationToken cancellation)
    {
        var tickets = new List<Ticket>();
        await foreach (string line in File.ReadLinesAsync(path, cancellation))
        {
            JsonArray messages = JsonNode.Parse(line)!["messages"]!.AsArray();
            ChatMessage[] all = [.. messages.Select(message => new ChatMessage
            {
                Role = message!["role"]!.GetValue<string>(),
                Content = message["content"]!.GetValue<string>(),
            })];
            tickets.Add(new Ticket(all[..^1], all[^1].Content!));
        }

        return tickets;
    }

    /// <summary>Asks a model every question; the likeliest answer each time.</summary>
    public static Task AskAsync(
        AnnealClient client, List<Ticket> tickets, string model, Action<Ticket, string> keep, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            tickets,
            new ParallelOptions { MaxDegreeOfParallelism = RequestsAtOnce, CancellationToken = cancellation },
            async (ticket, cancel) =>
            {
                ChatCompletion answer = await client.Chat.CompleteAsync(new ChatRequest
                {
                    Model = model,
                    Messages = ticket.Messages,
                    Temperature = 0,
                    MaxCompletionTokens = AnswerTokensMax,
                }, cancel);
                keep(ticket, answer.Choices[0].Message.Content ?? "");
            });

    /// <summary>True when an answer is JSON with the same members and values as the one wanted, in whatever order.</summary>
    public static bool IsRight(Ticket ticket, string answer)
    {
        try
        {
            return JsonNode.DeepEquals(JsonNode.Parse(answer), JsonNode.Parse(ticket.Expected));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The share of right answers.</summary>
    public static double Accuracy(List<Ticket> tickets, Func<Ticket, string> answer) =>
        Math.Round((double)tickets.Count(ticket => IsRight(ticket, answer(ticket))) / tickets.Count, 4);
}
