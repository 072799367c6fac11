using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Anneal.Server.Chat;

namespace Anneal.Api.Tests.Chat;

/// <summary>
/// A model that says what a test wrote down, for the parts of the wire format that a real model cannot be made to show at will:
/// odd pieces, failures in the middle, slowness. What the real models do is tested with them.
/// </summary>
internal sealed class ScriptedChatModels(params ChatPiece[] pieces) : IChatModels, IChatModel
{
    /// <summary>Thrown after the pieces, if set.</summary>
    public Exception? Failure { get; init; }

    /// <summary>Awaited before each piece after the first.</summary>
    public Func<CancellationToken, Task> Pause { get; init; } = _ => Task.CompletedTask;

    /// <summary>The prompts that were asked for, in order.</summary>
    public List<ChatPrompt> Prompts { get; } = [];

    /// <summary>The conversation of the last request.</summary>
    public JsonArray? Messages { get; private set; }

    /// <summary>Completes when a generation was left early.</summary>
    public TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Fingerprint => "fp_scripted";

    public int VocabularySize => 1000;

    public Task<IChatModel?> OpenAsync(string name, CancellationToken cancellation) =>
        Task.FromResult<IChatModel?>(name == "scripted" ? this : null);

    public void Forget(string name)
    {
    }

    public int[] Render(JsonArray messages)
    {
        Messages = messages;
        return [1, 2, 3];
    }

    public async IAsyncEnumerable<ChatPiece> GenerateAsync(
        ChatPrompt prompt, [EnumeratorCancellation] CancellationToken cancellation)
    {
        lock (Prompts)
        {
            Prompts.Add(prompt);
        }
        bool whole = false;
        try
        {
            foreach ((int index, ChatPiece piece) in pieces.Index())
            {
                if (index > 0)
                {
                    await Pause(cancellation);
                }
                yield return piece;
            }
            whole = true;
        }
        finally
        {
            if (!whole)
            {
                Left.TrySetResult();
            }
        }
        if (Failure is not null)
        {
            throw Failure;
        }
    }
}
