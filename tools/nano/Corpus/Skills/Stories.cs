using System.Globalization;

namespace Anneal.Nano.Corpus.Skills;

/// <summary>Small stories: to read, to be asked about, to be written and to be summed up.</summary>
internal static class Stories
{
    /// <summary>A story with the facts that questions need.</summary>
    internal sealed record Story(string Text, string Title, string Summary, IReadOnlyList<(string Question,
        string Answer, string Brief)> Questions);

    public static Assignment Question(Dice d)
    {
        Story story = Make(d);
        (string question, string answer, string brief) = d.Pick(story.Questions);
        return new(question, answer, story.Text, brief);
    }

    public static Assignment FromScene(Dice d)
    {
        Scene scene = Scenes.Any(d);
        if (d.Chance(0.15))
        {
            string absent = d.Pick(Lexicon.Words("key_extra"));
            if (scene.Fields.All(f => f.Key != absent && !f.Text.Contains(absent,
                StringComparison.Ordinal)) && !scene.Text.Contains(absent, StringComparison.OrdinalIgnoreCase))
            {
                return new(d.Say("[What is the {0}?|Which {0} is given?|Tell me the {0}.]", absent),
                    d.Say("[The text does not say.|I don't know. The text does not mention the {0}.]", absent),
                    scene.Text, "not given");
            }
        }
        Field wanted = d.Pick(scene.Fields);
        return new(d.Say("[What is the {0}?|Which {0} does the text give?|Tell me the {0}.|What does the text say " +
            "about the {0}?]", wanted.Key),
            d.Say("The {0} is {1}.", wanted.Key, wanted.Text), scene.Text, wanted.Text);
    }

    public static Assignment Write(Dice d)
    {
        Story story = Make(d);
        return new(d.Say("[Write|Tell me] a [short|little] story about {0}.", story.Title), story.Text);
    }

    public static Assignment Summary(Dice d)
    {
        bool title = d.Chance(0.35);
        string instruction = title ? d.Say("[Find a title for this story|Give this text a title|What would be a good " +
            "title]")
            : d.Say("[Summarize this text in one sentence|Sum up the story in one sentence|What happens in this " +
                "story|Give a short summary of the text|Write a one-sentence summary]");
        return Assignment.Of(d, instruction, dice =>
        {
            Story story = Make(dice);
            return new Work(story.Text, title ? English.Capital(story.Title) : story.Summary);
        });
    }

    /// <summary>A story of five to eight sentences.</summary>
    public static Story Make(Dice d)
    {
        string name = Cast.First(d, out string she), he = she.ToLowerInvariant(), her = she == "She" ? "her" : "his";
        string job = d.Pick(Lexicon.Words("job")), adjective = d.Pick(Lexicon.Words("person_adjective"));
        string place = d.Pick(Lexicon.Words("place")), look = d.Pick(Lexicon.Words("place_adjective"));
        string thing = d.Say("{object_adjective} [{household}|{toy}|{container}|{tool}|{clothing}]");
        string friend = Cast.First(d, out _), kin = d.Pick(Lexicon.Words("family")),
            day = d.Pick(Lexicon.Words("day")), weather = d.Pick(Lexicon.Words("weather"));
        while (friend == name)
        {
            friend = Cast.First(d, out _);
        }
        string food = d.Pick(Lexicon.Words("food")), feeling = d.Of("happy", "proud", "tired", "surprised", "thankful",
            "calm");
        string opening = d.Say("[Once there was|There was once|In {city} there lived] {a:0} {1} called {2}.",
            adjective, job, name);
        string when = d.Say("[One {1} {0}, |On {a:1} {0}, |It was {a:1} {0}, and ]{2} went to the {3} {4}.", day,
            weather, name, look, place);
        string find = d.Say("[There|At the {0}], {1} [found|saw|noticed] {a:2}.", place, he, thing);
        (string middle, string why, string outcome) = Plot(d, name, she, her, friend, kin, thing, food);
        string end = d.Say("[In the end|That evening|When the sun went down], {0} was {1}[ and went home|].", name,
            feeling);
        List<(string, string, string)> questions =
        [
            ("Who is the story about?", d.Say("The story is about {0}.", name), name),
            (d.Say("What is the job of {0}?", name), d.Say("{0} is {a:1}.", name, job), job),
            (d.Say("Where did {0} go?", name), d.Say("{0} went to the {1}.", name, place), $"the {place}"),
            (d.Say("[What did {0} find?|What did {0} see at the {1}?]", name, place), d.Say("{0} found {a:1}.", name,
                thing), English.A(thing)),
            (d.Say("On which day did it happen?"), d.Say("It happened on {0}.", "a " + day), day),
            (d.Say("How was the weather?"), d.Say("It was {0}.", weather), weather),
            (d.Say("How did {0} feel in the end?", name), d.Say("{0} was {1}.", name, feeling), feeling),
            ("What happened in the middle of the story?", outcome, outcome),
            ("Why?", why, why),
        ];
        questions.RemoveAt(questions.Count - 1);
        questions.Add((d.Say("Why did {0} do that?", name), why, why));
        return new Story(string.Join(" ", opening, when, find, middle, end), d.Say("{0} and the {1}", name, thing),
            d.Say("{0} found {a:1} at the {2}. {3}", name, thing, place, outcome), questions);
    }

    /// <summary>A plain text without a chat: a story, a report or a page of facts.</summary>
    public static string Plain(Dice d)
    {
        switch (d.Below(5))
        {
            case 0:
                Story story = Make(d);
                return English.Capital(story.Title) + "\n\n" + story.Text;
            case 1:
                string topic = d.Pick(Classification.TopicNames);
                return English.Capital(topic) + ": " + string.Join(" ", Enumerable.Range(0, d.Between(3,
                    6)).Select(_ => Classification.About(d, topic)));
            case 2:
                return string.Join("\n", Enumerable.Range(0, d.Between(2, 4)).Select(_ => Scenes.Any(d).Text));
            case 3:
                return string.Join(" ", d.Sample(Lexicon.Records("definitions"), d.Between(3,
                    6)).Select(w => English.Capital(English.A(w[0])) + " is " + w[1] + "."));
            default:
                List<string[]> rows = d.Sample(Lexicon.Records("countries"), d.Between(2, 4));
                return string.Join(" ", rows.Select(c => d.Say("[{0} is a country in {2}.|{0} lies in {2}.] [Its " +
                    "capital is {1}.|The capital of {0} is {1}.] [Many people there speak {3}.|]", c[0], c[1], c[2],
                    c[3]).Trim()));
        }
    }

    private static (string Middle, string Why, string Outcome) Plot(
        Dice d, string name, string she, string her, string friend, string kin, string thing, string food)
    {
        string he = she.ToLowerInvariant();
        string noun = thing[(thing.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        string coins = d.Between(2, 90).ToString(CultureInfo.InvariantCulture);
        return d.Below(7) switch
        {
            0 => (d.Say("{0} [picked it up|put it into a bag] and gave it to {1}, because {1} had lost {2} {3}.", she,
                friend, d.Of("a", "the") == "a" ? "a" : "the", noun),
                d.Say("{0} did it because {1} had lost the {2}.", name, friend, noun), d.Say("{0} gave the {1} to " +
                    "{2}.", name, noun, friend)),
            1 => (d.Say("{0} wanted to keep it, but it belonged to {1}. So {2} brought it back, and {1} said thank " +
                "you.", she, friend, he),
                d.Say("{0} did it because the {1} belonged to {2}.", name, noun, friend), d.Say("{0} brought the {1} " +
                    "back to {2}.", name, noun, friend)),
            2 => (d.Say("{0} sold it to {1} for {2} coins and bought {3} for {4} {5}.", she, friend, coins, food, her,
                kin),
                d.Say("{0} did it because {1} wanted to buy {2}.", name, he, food), d.Say("{0} sold the {1} for {2} " +
                    "coins.", name, noun, coins)),
            3 => (d.Say("It was broken, so {0} repaired it together with {1}. It took {2} hours.", he, friend,
                English.Number(d.Between(2, 9))),
                d.Say("{0} did it because the {1} was broken.", name, noun), d.Say("{0} and {1} repaired the {2}.",
                    name, friend, noun)),
            4 => (d.Say("{0} showed it to {1} {2}, who had never seen such {a:3} before.", she, her, kin, noun),
                d.Say("{0} did it because {1} {2} had never seen such {a:3}.", name, her, kin, noun),
                    d.Say("{0} showed the {1} to {2} {3}.", name, noun, her, kin)),
            5 => (d.Say("Suddenly {0} came and asked for help. {1} helped at once and [shared|gave away] {2} {3}.",
                friend, name, her, food),
                d.Say("{0} did it because {1} asked for help.", name, friend), d.Say("{0} helped {1}.", name, friend)),
            _ => (d.Say("{0} hid it under {a:1}, because it was a present for {2} {3}.", she,
                d.Pick(Lexicon.Words("tree")), her, kin),
                d.Say("{0} did it because it was a present for {1} {2}.", name, her, kin), d.Say("{0} hid the {1}.",
                    name, noun)),
        };
    }
}
