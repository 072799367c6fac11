namespace Anneal.Nano.Corpus;

/// <summary>A message of a document; the role <c>text</c> marks plain text that is in no chat.</summary>
internal readonly record struct Turn(string Role, string Content);

/// <summary>One document of the corpus.</summary>
/// <param name="Family">The family of tasks that made it, for statistics.</param>
/// <param name="Turns">A chat, or a single turn of role <c>text</c>.</param>
internal sealed record Document(string Family, IReadOnlyList<Turn> Turns);

/// <summary>A text to work on, and what comes out.</summary>
internal readonly record struct Work(string Input, string Answer);

/// <summary>
/// A thing to do, before it is laid out as a chat. Without an input the instruction is a question of its own.
/// </summary>
/// <param name="Instruction">What is asked.</param>
/// <param name="Answer">The right reply.</param>
/// <param name="Input">The text the instruction is about; it may stand before or after it, or alone behind a system prompt.</param>
/// <param name="Brief">The reply in as few words as possible, where that differs.</param>
/// <param name="Again">More inputs for the same instruction, for chats whose system prompt sets the task.</param>
internal sealed record Assignment(
    string Instruction, string Answer, string? Input = null, string? Brief = null, Func<Dice, Work>? Again = null)
{
    /// <summary>An instruction whose inputs all come from one source.</summary>
    public static Assignment Of(Dice dice, string instruction, Func<Dice, Work> source)
    {
        Work first = source(dice);
        return new Assignment(instruction, first.Answer, first.Input, null, source);
    }
}
