using System.CommandLine;
using Anneal.Cli.Terminal;
using Anneal.Client;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal chat</c>: one question, or a conversation.</summary>
internal static class ChatCommand
{
    private static readonly Option<string> Model = new("--model") { Description = "Name of the model.", Required = true };
    private static readonly Option<string?> System_ = new("--system") { Description = "Tells the model how to behave." };
    private static readonly Option<double?> Temperature = new("--temperature") { Description = "0 for the likeliest answer, up to 2." };
    private static readonly Option<double?> TopP = new("--top-p") { Description = "Share of probability to draw from." };
    private static readonly Option<int?> MaxTokens = new("--max-tokens") { Description = "Most tokens of an answer." };
    private static readonly Option<long?> Seed = new("--seed") { Description = "Seed of the drawing." };

    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell)
    {
        var prompt = new Argument<string?>("prompt")
        {
            Description = "The question. Without it: a conversation, or standard input when that is a file.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = Verb.Json();
        return Verb.Of("chat", "Talk to a model on the server.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            string? question = parsed.GetValue(prompt);
            if (question is null && !shell.InIsTerminal)
            {
                question = (await shell.In.ReadToEndAsync(cancellation)).TrimEnd('\n', '\r');
            }

            List<ChatMessage> messages = parsed.GetValue(System_) is string system ? [ChatMessage.System(system)] : [];
            var request = new ChatRequest
            {
                Model = parsed.GetRequiredValue(Model),
                Messages = messages,
                Temperature = parsed.GetValue(Temperature),
                TopP = parsed.GetValue(TopP),
                MaxCompletionTokens = parsed.GetValue(MaxTokens),
                Seed = parsed.GetValue(Seed),
            };
            if (question is null)
            {
                return await ConverseAsync(shell, client, request, messages, cancellation);
            }

            messages.Add(ChatMessage.User(question));
            if (parsed.GetValue(json))
            {
                Verb.WriteJson(shell, await client.Chat.CompleteAsync(request, cancellation), ClientJson.Default.ChatCompletion);
                return Root.Done;
            }

            await AnswerAsync(shell, client, request, cancellation);
            return Root.Done;
        }, prompt, Model, System_, Temperature, TopP, MaxTokens, Seed, json);
    }

    private static async Task<int> ConverseAsync(
        Shell shell, AnnealClient client, ChatRequest request, List<ChatMessage> messages, CancellationToken cancellation)
    {
        int kept = messages.Count;
        shell.Error.WriteLine($"Talking to {request.Model}. /reset begins anew, /exit or Ctrl-D ends.");
        while (true)
        {
            shell.Error.Write("> ");
            string? line = await ReadLineAsync(shell, cancellation);
            switch (line?.Trim())
            {
                case null or "/exit":
                    return Root.Done;
                case "":
                    continue;
                case "/reset":
                    messages.RemoveRange(kept, messages.Count - kept);
                    continue;
                default:
                    messages.Add(ChatMessage.User(line));
                    break;
            }

            try
            {
                messages.Add(ChatMessage.Assistant(await AnswerAsync(shell, client, request, cancellation)));
            }
            catch (ApiException fault)
            {
                // The conversation may have grown too long, for instance: the user can go on after /reset.
                messages.RemoveAt(messages.Count - 1);
                shell.Error.WriteLine("anneal: " + fault.Message);
            }
        }
    }

    // Reading from a terminal cannot be cancelled, so the wait for it is. Ctrl-C ends a conversation as Ctrl-D does.
    private static async Task<string?> ReadLineAsync(Shell shell, CancellationToken cancellation)
    {
        try
        {
            return await Task.Run(shell.In.ReadLine, CancellationToken.None).WaitAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            shell.Error.WriteLine();
            return null;
        }
    }

    private static async Task<string> AnswerAsync(Shell shell, AnnealClient client, ChatRequest request, CancellationToken cancellation)
    {
        var answer = new System.Text.StringBuilder();
        await foreach (ChatChunk chunk in client.Chat.StreamAsync(request, cancellation))
        {
            answer.Append(chunk.Text);
            await shell.Out.WriteAsync(chunk.Text.AsMemory(), cancellation);
        }

        await shell.Out.WriteLineAsync();
        return answer.ToString();
    }
}
