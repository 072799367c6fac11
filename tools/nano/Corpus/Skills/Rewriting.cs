namespace Anneal.Nano.Corpus.Skills;

/// <summary>The same sentence in another tense, tone or form.</summary>
internal static class Rewriting
{
    public static Assignment Tense(Dice d)
    {
        int from = d.Below(3), to = (from + 1 + d.Below(2)) % 3;
        string[] names = ["past tense", "present tense", "future tense"];
        return Assignment.Of(d, d.Say("[Put this sentence into the {0}|Rewrite the sentence in the {0}|Change the " +
            "sentence to the {0}]", names[to]), dice =>
        {
            (string subject, string[] verb, string thing, _) = Sentences.Parts(dice);
            string[] forms = [verb[1], verb[3], "will " + verb[0]];
            return new Work($"{subject} {forms[from]} the {thing}.", $"{subject} {forms[to]} the {thing}.");
        });
    }

    public static Assignment Form(Dice d)
    {
        int kind = d.Below(5);
        string when = d.Pick(Lexicon.Words("daypart"));
        string instruction = kind switch
        {
            0 => d.Say("[Turn this sentence into a question|Make a question from this sentence]"),
            1 => d.Say("[Make this sentence negative|Write the negative of this sentence]"),
            2 => d.Say("[Put this sentence into the passive|Rewrite the sentence in the passive voice]"),
            3 => d.Say("[Replace the name by \"I\"|Write this sentence from the point of view of \"I\"]"),
            _ => d.Say("[Add the time to the sentence: {0}|Extend the sentence with \"{0}\"]", when),
        };
        return Assignment.Of(d, instruction, dice =>
        {
            (string subject, string[] verb, string thing, _) = Sentences.Parts(dice);
            if (kind == 3)
            {
                subject = Cast.First(dice, out _);
            }
            string lower = subject.Contains(' ', StringComparison.Ordinal)
                ? char.ToLowerInvariant(subject[0]) + subject[1..] : subject;
            string plain = $"{subject} {verb[1]} the {thing}.";
            return new Work(plain, kind switch
            {
                0 => $"Did {lower} {verb[0]} the {thing}?",
                1 => $"{subject} did not {verb[0]} the {thing}.",
                2 => $"The {thing} was {Participle(verb)} by {lower}.",
                3 => $"I {verb[1]} the {thing}.",
                _ => $"{subject} {verb[1]} the {thing} {when}.",
            });
        });
    }

    public static Assignment Tone(Dice d)
    {
        bool polite = d.Chance(0.6);
        string instruction = polite ? d.Say("[Make this more polite|Rewrite this politely|Say this in a friendly way|" +
            "Write this in a polite tone]") : d.Say("[Make this shorter|Say this in fewer words|Shorten this request]");
        return Assignment.Of(d, instruction, dice =>
        {
            string[] verb = dice.Pick(Lexicon.Forms("transitive"));
            string thing = dice.Say("the [{object_adjective} |][{household}|{project}|{money_words}|{account_words}|" +
                "{delivery_words}]");
            string rude = $"{English.Capital(verb[0])} {thing}{dice.Say("[!| now!|.]")}",
                nice = $"Could you please {verb[0]} {thing}?";
            return polite ? new Work(rude, nice) : new Work(dice.Say("I would be very [grateful|glad|happy] if you " +
                "could [kindly |]{0} {1}[ for me|].", verb[0], thing), $"Please {verb[0]} {thing}.");
        });
    }

    public static Assignment Replace(Dice d)
    {
        bool opposite = d.Chance(0.4);
        if (opposite)
        {
            return Assignment.Of(d, d.Say("[Replace the adjective by its opposite|Write the sentence with the " +
                "opposite adjective]"), dice =>
            {
                string[] pair = dice.Pick(Lexicon.Forms("antonyms").Take(18).ToArray());
                string thing = dice.Pick(Lexicon.Words(dice.Of("household", "furniture", "clothing")));
                int i = dice.Below(2);
                return new Work($"The {thing} is {pair[i]}.", $"The {thing} is {pair[1 - i]}.");
            });
        }
        Sentence(d, out string text, out string old, out string source);
        string changed = d.Pick(Lexicon.Words(source));
        return new(d.Say("[Replace \"{0}\" by \"{1}\" in this sentence|Change \"{0}\" to \"{1}\"|Write the sentence " +
            "with \"{1}\" instead of \"{0}\"]", old, changed),
            text.Replace(old, changed, StringComparison.Ordinal), text);
    }

    public static Assignment Join(Dice d) => Assignment.Of(d, d.Say("[Join the two sentences with \"and\"|Make one " +
        "sentence of these two with \"and\"]"), dice =>
    {
        string name = Cast.First(dice, out string she);
        string[] a = dice.Pick(Lexicon.Forms("intransitive"));
        string[] b = dice.Pick(Lexicon.Forms("transitive"));
        string thing = dice.Say("{object_adjective} {household}");
        return new Work($"{name} {a[1]}. {she} {b[1]} the {thing}.", $"{name} {a[1]} and {b[1]} the {thing}.");
    });

    private static void Sentence(Dice d, out string text, out string old, out string source)
    {
        source = d.Of("city", "job", "household", "color", "day", "month", "food");
        old = d.Pick(Lexicon.Words(source));
        string name = Cast.First(d, out _);
        text = source switch
        {
            "city" => d.Say("{0} [lives in|moved to|works in|comes from] {1}.", name, old),
            "job" => d.Say("The {0} {1} the {2}.", old, d.Pick(Lexicon.Forms("transitive"))[1],
                d.Pick(Lexicon.Words("furniture"))),
            "household" => d.Say("{0} {1} the {2}.", name, d.Pick(Lexicon.Forms("transitive"))[1], old),
            "color" => d.Say("The {2} of {0} is {1}.", name, old, d.Pick(Lexicon.Words("clothing"))),
            "food" => d.Say("{0} [likes|eats|wants|cooked] {1}.", name, old),
            "day" => d.Say("The {event} is on {0}.", old),
            _ => d.Say("{0} goes to {city} in {1}.", name, old),
        };
    }

    private static string Participle(string[] verb)
    {
        foreach (string[] form in Lexicon.Forms("irregular"))
        {
            if (form[0] == verb[0])
            {
                return form[2];
            }
        }
        return verb[0] == "show" ? "shown" : verb[1];
    }
}
