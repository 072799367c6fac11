using Anneal.Nano.Corpus.Skills;

namespace Anneal.Nano.Corpus;

/// <summary>
/// Lays assignments out as documents: one or many exchanges, with and without system prompt, the task in the system
/// prompt or in the question, answers in full, in brief, as JSON or in capitals as the system prompt wants them.
/// </summary>
internal static class Composer
{
    /// <summary>Document <paramref name="index"/> of the corpus with this seed.</summary>
    public static Document Make(ulong seed, ulong index)
    {
        Dice d = new(seed, index);
        double kind = d.Unit();
        if (kind < 0.06)
        {
            return new Document("plain", [new("text", Stories.Plain(d))]);
        }
        if (kind < 0.10)
        {
            return new Document("memory", WithPersona(d, Talk.Memory(d)));
        }
        if (kind < 0.13)
        {
            return new Document("follow-up", WithPersona(d, Talk.FollowUp(d)));
        }
        if (kind < 0.155)
        {
            return Chat(d, d.Between(6, 14));
        }
        return Chat(d, kind < 0.75 ? 1 : d.Between(2, 4));
    }

    /// <summary>One question of one kind of task and its answer, without a system prompt.</summary>
    public static Document Single(ulong seed, ulong index, string kind)
    {
        Dice d = new(seed, index);
        Assignment task = Curriculum.Draw(d, kind);
        return new Document(kind, [new("user", Question(d, task)), new("assistant", task.Answer)]);
    }

    private static Document Chat(Dice d, int exchanges)
    {
        (string name, Assignment first) = Curriculum.Draw(d);
        if (first.Input is not null && d.Chance(0.45))
        {
            return new Document(name, Instructed(d, first, exchanges));
        }
        List<Turn> turns = [];
        Manner manner = Manner.Choose(d, first);
        first = manner.Suits(first) ? first : Suitable(d, manner);
        if (manner.System is not null)
        {
            turns.Add(new("system", manner.System));
        }
        for (int i = 0; i < exchanges; i++)
        {
            Assignment next = i == 0 ? first : Suitable(d, manner);
            turns.Add(new("user", manner.Ask(Question(d, next))));
            turns.Add(new("assistant", manner.Reply(next)));
        }
        return new Document(exchanges > 4 ? "long" : name, turns);
    }

    /// <summary>The system prompt gives the task, each user message is a text to work on.</summary>
    private static List<Turn> Instructed(Dice d, Assignment task, int exchanges)
    {
        string role = d.Say("[||You are a helpful assistant. |You are a careful assistant. |You work with texts. |" +
            "The user sends you a text. ]");
        List<Turn> turns = [new("system", role + English.Ask(task.Instruction, '.'))];
        turns.Add(new("user", task.Input!));
        turns.Add(new("assistant", task.Answer));
        for (int i = 1; i < exchanges && task.Again is not null; i++)
        {
            Work work = task.Again(d);
            turns.Add(new("user", work.Input));
            turns.Add(new("assistant", work.Answer));
        }
        return turns;
    }

    private static string Question(Dice d, Assignment task)
    {
        if (task.Input is null)
        {
            return task.Instruction;
        }
        string input = task.Input;
        bool lines = input.Contains('\n', StringComparison.Ordinal);
        if (d.Chance(0.3))
        {
            return input + "\n\n" + English.Ask(task.Instruction, '.');
        }
        string asked = English.Ask(task.Instruction, ':');
        return asked + (asked[^1] == ':' && !lines && d.Chance(0.6) ? " " : lines || d.Chance(0.5) ? "\n\n"
            : "\n") + input;
    }

    private static Assignment Suitable(Dice d, Manner manner)
    {
        for (int tries = 0; tries < 40; tries++)
        {
            Assignment next = Curriculum.Draw(d).Assignment;
            if (manner.Suits(next))
            {
                return next;
            }
        }
        return Facts.Countries(d) is { Brief: not null } country ? country : Arithmetic.Sum(d);
    }

    private static List<Turn> WithPersona(Dice d, IReadOnlyList<Turn> turns) =>
        d.Chance(0.25) ? [new("system", Manner.Persona(d)), .. turns] : [.. turns];
}
