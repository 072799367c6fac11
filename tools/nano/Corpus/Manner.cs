using Anneal.Nano.Corpus.Skills;

namespace Anneal.Nano.Corpus;

/// <summary>How the assistant of one chat answers, and the system prompt that says so.</summary>
internal sealed class Manner
{
    private enum Kind { Free, Brief, Json, Capitals, Start, End }

    private readonly Kind _kind;
    private readonly string _word;
    private readonly string? _suffix;

    private Manner(Kind kind, string? system, string word = "", string? suffix = null)
    {
        _kind = kind;
        System = system;
        _word = word;
        _suffix = suffix;
    }

    /// <summary>The system prompt; null for none.</summary>
    public string? System { get; }

    /// <summary>A manner that fits the first assignment of a chat.</summary>
    public static Manner Choose(Dice d, Assignment first)
    {
        double choice = d.Unit();
        if (choice < 0.58)
        {
            return new Manner(Kind.Free, null);
        }
        if (choice < 0.72)
        {
            return new Manner(Kind.Free, Persona(d));
        }
        if (first.Brief is not null && choice < 0.82)
        {
            string how = d.Say("[Answer as briefly as possible.|Give only the answer, no sentence.|Answer in one or " +
                "two words.|Be brief.|Only the answer, nothing else.]");
            return d.Chance(0.6) ? new Manner(Kind.Brief, Role(d) + how) : new Manner(Kind.Brief, null, suffix: how);
        }
        if (first.Brief is not null && choice < 0.92)
        {
            string key = d.Of("answer", "answer", "result", "reply", "value", "response", "solution", "output");
            string how = d.Say("[Answer with JSON that has the key \"{0}\".|Reply with a JSON object with the key " +
                "{0}.|Write every answer as JSON: {1}]", key, Markup.Json([new(key, "...")]));
            return d.Chance(0.7) ? new Manner(Kind.Json, Role(d) + how, key) : new Manner(Kind.Json, null, key, how);
        }
        return Decorated(d);
    }

    /// <summary>A system prompt that names a role and changes nothing else.</summary>
    public static string Persona(Dice d) => d.Say(
        "[You are a helpful assistant.|You are a friendly assistant.|You are a helpful assistant. Answer in simple " +
            "English.|You are {a:job} who helps people.|" +
        "You are the assistant of {0}.|You answer questions for {0}.|You are a patient teacher.|Help the user.|You " +
            "are a chat assistant. Be polite.|Today is {day}. You are a helpful assistant.]",
        Cast.Company(d));

    /// <summary>The user's words, with what this manner adds to them.</summary>
    public string Ask(string question) => _suffix is null ? question : question + " " + _suffix;

    /// <summary>The reply to an assignment in this manner.</summary>
    public string Reply(Assignment task) => _kind switch
    {
        Kind.Brief => task.Brief!,
        Kind.Json => Markup.Json([new(_word, int.TryParse(task.Brief, out int number) ? number : task.Brief)]),
        Kind.Capitals => task.Answer.ToUpperInvariant(),
        Kind.Start => $"{_word} {task.Answer}",
        Kind.End => $"{task.Answer} {_word}",
        _ => task.Answer,
    };

    /// <summary>Whether the assignment can be answered in this manner.</summary>
    public bool Suits(Assignment task) => _kind switch
    {
        Kind.Brief or Kind.Json => task.Brief is not null && task.Input is null,
        Kind.Capitals or Kind.Start or Kind.End => !task.Answer.Contains('\n',
            StringComparison.Ordinal) && !task.Answer.Contains('{', StringComparison.Ordinal),
        _ => true,
    };

    private static string Role(Dice d) => d.Chance(0.4) ? Persona(d) + " " : "";

    private static Manner Decorated(Dice d)
    {
        string word = d.Of("Sure!", "Of course.", "Gladly!", "Well,", "My answer:", "Answer:", "OK.");
        string last = d.Of("Have a nice day!", "I hope this helps.", "Anything else?", "Over.", "That is all.");
        return d.Below(3) switch
        {
            0 => new Manner(Kind.Capitals, Role(d) + d.Say("[Answer in capital letters.|Write everything in " +
                "uppercase.|Use only capital letters.]")),
            1 => new Manner(Kind.Start, Role(d) + d.Say("[Begin every answer with \"{0}\"|Start each reply with " +
                "\"{0}\"]", word), word),
            _ => new Manner(Kind.End, Role(d) + d.Say("[End every answer with \"{0}\"|Finish each reply with \"{0}\"]",
                last), last),
        };
    }
}
