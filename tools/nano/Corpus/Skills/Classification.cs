namespace Anneal.Nano.Corpus.Skills;

/// <summary>Labels for texts: topic, sentiment, tone, kind of sentence, and two labels at once as JSON.</summary>
internal static class Classification
{
    /// <summary>The topics with the patterns that make sentences about them.</summary>
    private static readonly (string Topic, string[] Patterns)[] Topics =
    [
        ("sports", ["{first} won the {sport} [match|game|final] on {day}.", "The {sport} team from {city} lost by " +
            "[two|three|four] points.", "{first} trains {sport} [twice a week|every {day}].",
            "The coach of the {sport} club praised {first}.", "The {sport_words} was [the best of the season|talked " +
            "about for days]."]),
        ("food", ["{first} cooked {dish} for [dinner|lunch|the guests].", "The {food} tasted of {vegetable} and " +
            "{vegetable}.", "Add the {vegetable} and cook it for [ten|twenty] minutes.",
            "We ordered {dish} and {drink}.", "{first} baked {dish} with fresh {fruit}."]),
        ("weather", ["It will be {weather} in {city} on {day}.", "The {weather} weather lasts until {day}.",
            "[Rain|Snow|Wind|Fog] is expected in {city}.", "The temperature in {city} will [rise|fall] on {day}."]),
        ("travel", ["{first} booked a hotel in {city}.", "The {vehicle} to {city} leaves on {day}.",
            "We visited the {building} in {city} on our trip.", "{first} packed a suitcase for the journey to {city}.",
            "The tour to the {place} starts at [eight|nine]."]),
        ("music", ["{first} plays the {instrument} in a band.", "The concert in {city} began with {a:instrument} " +
            "solo.", "{first} wrote a song for {instrument} and {instrument}.",
            "The orchestra needs a new {instrument}."]),
        ("health", ["{first} has pain in the {body_part}.", "The doctor looked at the {body_part} of {first}.",
            "{first} took medicine against [a cough|a fever|a headache].",
            "The nurse told {first} to [rest|sleep more|eat fruit]."]),
        ("school", ["{first} wrote an exam in {subject}.", "The {subject} lesson begins at [eight|ten].",
            "{first} did the homework for {subject}.", "The teacher of {subject} praised {first}."]),
        ("money", ["{first} paid the {money_words} on {day}.", "The {money_words} is higher than last year.",
            "The bank sent {first} a {money_kind}.", "{first} saves money for {a:vehicle}.",
            "The {money_words} has to be paid before {day}."]),
        ("technology", ["The {electronics} needs a new {tech_part}.", "{first} installed the update on the " +
            "{electronics}.", "The {electronics} is connected to the {electronics}.",
            "The engineers built a better {electronics}.", "{first} cannot start the program on the {electronics}."]),
        ("animals", ["The {mammal} sleeps [in the sun|under a tree].", "{first} saw {a:bird} near the {place}.",
            "The {bird} flew over the {place}.", "{first} feeds the {mammal} every day.",
            "The {insect} landed on a {flower}."]),
        ("home", ["{first} painted the {room} {color}.", "The {furniture} stands in the {room}.",
            "{first} bought a new {furniture} for the {room}.", "The {appliance} in the {room} is old."]),
        ("clothes", ["{first} wears {a:color} {clothing}.", "The {clothing} is made of {material}.",
            "{first} washed the {color} {clothing}.", "This {clothing} is too [big|small|long] for {first}."]),
        ("nature", ["The {tree} in the {place} is very old.", "The {place_adjective} {place} is full of " +
            "{flower_plural}.", "{first} planted {a:tree} near the {place}.",
            "In {season} the {tree} loses its leaves."]),
        ("work", ["The {department} team [meets|works] on {day}.", "{first} finished the {project} for the " +
            "{department} department.", "{first} works as {a:job} at {company}.",
            "The manager asked {first} for the {project}."]),
    ];

    private static readonly string[] Moods = ["positive", "negative", "neutral"];

    public static Assignment Topic(Dice d)
    {
        List<string> labels = [.. d.Sample(Topics, d.Between(2, 6)).Select(t => t.Topic)];
        string ask = d.Say("[What is the topic of this text: {0}|Choose the topic: {0}|Classify the text as {0}|" +
            "Which of these topics fits: {0}|Is this text about {0}]", English.Or(labels));
        string? key = d.Chance(0.35) ? d.Of("topic", "category", "label", "about", "class", "theme") : null;
        ask = key is null ? ask : English.Ask(ask, '.') + d.Say(" [Answer as JSON with the key \"{0}\".|Reply with " +
            "JSON like {1}.|Write the answer to \"{0}\" in JSON.]", key, Markup.Json([new(key, "...")]));
        return Assignment.Of(d, ask, dice =>
        {
            string label = dice.Pick(labels);
            return new Work(About(dice, label), key is null ? label : Markup.Json([new(key, label)]));
        });
    }

    public static Assignment Sentiment(Dice d)
    {
        (string good, string bad, string neutral) = d.Of(("positive", "negative", "neutral"), ("good", "bad", "mixed"),
            ("happy", "unhappy", "neither"), ("praise", "complaint", "statement"),
            ("POSITIVE", "NEGATIVE", "NEUTRAL"), ("+", "-", "0"));
        bool three = d.Chance(0.6);
        List<string> labels = three ? [good, bad, neutral] : [good, bad];
        d.Shuffle(labels);
        string? key = d.Chance(0.35) ? d.Of("sentiment", "mood", "feeling", "opinion", "label") : null;
        string ask = d.Say("[Is this review {0}|Classify the sentiment as {0}|What does the writer think: {0}|Label " +
            "the text as {0}|Which label fits: {0}]", English.Or(labels));
        ask = key is null ? ask : English.Ask(ask, '.') + d.Say(" [Answer as JSON with the key \"{0}\".|Reply with " +
            "JSON that has the key {0}.]", key);
        return Assignment.Of(d, ask, dice =>
        {
            int kind = dice.Below(three ? 3 : 2);
            string label = kind == 0 ? good : kind == 1 ? bad : neutral;
            return new Work(Review(dice, kind), key is null ? label : Markup.Json([new(key, label)]));
        });
    }

    /// <summary>Two labels, or a label and a fact, in one JSON object.</summary>
    public static Assignment Both(Dice d)
    {
        List<string> topics = [.. d.Sample(Topics, d.Between(2, 5)).Select(t => t.Topic)];
        string topicKey = d.Of("topic", "area", "subject", "theme"), toneKey = d.Of("tone", "mood", "voice", "manner");
        bool tone = d.Chance(0.5);
        if (tone)
        {
            return Assignment.Of(d, d.Say("[Answer with JSON: \"{0}\" is {1}, \"{2}\" is calm or excited|Write JSON " +
                "with the keys {0} ({1}) and {2} (calm or excited)]", topicKey, English.Or(topics), toneKey), dice =>
            {
                string label = dice.Pick(topics);
                bool excited = dice.Chance(0.5);
                string text = About(dice, label);
                text = excited ? dice.Say("[Wow!|Hurray!|How wonderful!|I cannot believe it!|Quick, listen!|Amazing " +
                    "news!] {0}", text[..^1] + "!") : dice.Say("{0}[||| As always.| Nothing special.| That is all.]",
                    text);
                return new Work(English.Capital(text), Markup.Json([new(topicKey, label), new(toneKey, excited
                    ? "excited" : "calm")]));
            });
        }
        string key = d.Of("device", "thing", "object");
        string ask = d.Say(
            "[Answer with JSON that has \"{0}\" and \"sentiment\" (positive, negative or neutral)|" +
            "Give JSON with the keys {0} and sentiment]", key);
        return Assignment.Of(d, ask, dice =>
        {
            int mood = dice.Below(3);
            string thing = dice.Pick(Lexicon.Words("electronics"));
            string text = dice.Say("[My|The|Our] {0} [from {company_first} {company_second} |]{1}.", thing, Opinion(dice, mood));
            return new Work(text, Markup.Json([new(key, thing), new("sentiment", Moods[mood])]));
        });
    }

    public static Assignment Shape(Dice d) => d.Below(4) switch
    {
        0 => Assignment.Of(d, d.Say("[Is this a question, a statement or a command|Which kind of sentence is this: " +
            "question, statement or command]"), dice =>
        {
            int kind = dice.Below(3);
            return kind switch
            {
                0 => new Work(dice.Say("[Where is|When will you bring|Who has|Have you seen|Do you need] the " +
                    "{object_adjective} {household}?"), "question"),
                1 => new Work(Sentences.Any(dice), "statement"),
                _ => new Work(dice.Say("[Please close|Open|Bring me|Clean|Carry|Look at|Find] the {object_adjective} " +
                    "{household}[ now|]."), "command"),
            };
        }),
        1 => Assignment.Of(d, d.Say("[Is this text polite or rude|Label the tone: polite or rude]"),
            dice => dice.Chance(0.5)
            ? new Work(dice.Say("[Could you please|Would you be so kind to|May I ask you to] [bring|send|show|lend] " +
                "me the {household}[, please|. Thank you]."), "polite")
            : new Work(dice.Say("[Give me|Hand over|Bring me] the {household}[ now|, and be quick|, you fool|]!"),
                "rude")),
        2 => Assignment.Of(d, d.Say("[Is this about the past, the present or the future|Which time does the sentence " +
            "speak about: past, present or future]"), dice =>
        {
            (string subject, string[] verb, string thing, _) = Sentences.Parts(dice);
            return dice.Below(3) switch
            {
                0 => new Work(dice.Say("[Yesterday|Last week] {0} {1} the {2}.", Lower(subject), verb[1], thing),
                    "past"),
                1 => new Work(dice.Say("[Right now|At the moment] {0} is {1} the {2}.", Lower(subject), verb[2],
                    thing), "present"),
                _ => new Work(dice.Say("[Tomorrow|Next week] {0} will {1} the {2}.", Lower(subject), verb[0], thing),
                    "future"),
            };
        }),
        _ => Assignment.Of(d, d.Say("[Does this have to happen soon? Answer yes or no.|Is the writer in a hurry: yes " +
            "or no]"), dice => dice.Chance(0.5)
            ? new Work(dice.Say("[Please [call|visit|ask] {first} [at once|immediately|right now|as soon as possible|" +
                "today].|I need the {project} [now|today|immediately|within the hour].|Hurry, the {event} [starts in " +
                "ten minutes|is about to begin]!|It is urgent: {first} is waiting for the {household}.]"), "yes")
            : new Work(dice.Say("[There is no hurry with the {project}.|When you have time, please look at the " +
                "{project}.|You can bring the {household} [next month|some day|whenever you like].|The {event} is in " +
                "[two months|half a year].|Just wondering whether you still have the {household}.]"), "no")),
    };

    /// <summary>A sentence about one of the topics.</summary>
    public static string About(Dice d, string topic)
    {
        if (d.Chance(0.25) && Lexicon.Records("topics_text").Where(r => r[0] == topic).ToArray() is { Length: > 0 } known)
        {
            return d.Pick(known)[1];
        }
        return English.Capital(Person(d, d.Pick(Topics.First(t => t.Topic == topic).Patterns)));
    }

    /// <summary>The names of all topics.</summary>
    public static IReadOnlyList<string> TopicNames { get; } = [.. Topics.Select(t => t.Topic)];

    /// <summary>An opinion on a thing or a service: 0 good, 1 bad, 2 neither.</summary>
    public static string Review(Dice d, int mood)
    {
        string thing = d.Say("[{household}|{electronics}|{furniture}|{clothing}|{appliance}|{toy}]");
        if (d.Chance(0.25) && mood < 2)
        {
            return English.Capital(d.Say(mood == 0 ? "At the [hotel|restaurant|{shop}], {service_good} and " +
                "{service_good}." : "At the [hotel|restaurant|{shop}], {service_bad} and {service_bad}."));
        }
        string text = d.Say("[The|This|My new|The new] [{object_adjective} |]{0} [from {1} |]{2}.", thing,
            Cast.Company(d), Opinion(d, mood));
        string tail = mood switch
        {
            0 => d.Say("[ I love it.| I am very happy with it.| I would buy it again.| Great!||| Thank you!]"),
            1 => d.Say("[ I am disappointed.| I want my money back.| Never again.| What a pity.||| I will send it " +
                "back.]"),
            _ => d.Say("[ That is all I can say.| I have not used it yet.||| It is an ordinary thing.]"),
        };
        return text + tail;
    }

    private static string Opinion(Dice d, int mood) => mood switch
    {
        0 => d.Say("{product_praise}[ and {product_praise}|]"),
        1 => d.Say("{product_problem}[ and {product_problem}|]"),
        _ => d.Say("{product_neutral}[ and {product_neutral}|]"),
    };

    private static string Lower(string subject) => subject.StartsWith("The ",
        StringComparison.Ordinal) || subject.StartsWith("My ", StringComparison.Ordinal)
        ? char.ToLowerInvariant(subject[0]) + subject[1..] : subject;

    private static string Person(Dice d, string pattern)
    {
        string text = pattern
            .Replace("{money_kind}", d.Of("letter", "credit card", "bill", "statement"), StringComparison.Ordinal)
            .Replace("{tech_part}", d.Of("battery", "screen", "cable", "button", "update", "charger"),
                StringComparison.Ordinal)
            .Replace("{flower_plural}", English.Plural(d.Pick(Lexicon.Words("flower"))), StringComparison.Ordinal);
        return d.Say(text);
    }
}
