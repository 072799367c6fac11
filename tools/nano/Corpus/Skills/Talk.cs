namespace Anneal.Nano.Corpus.Skills;

/// <summary>Chats of several turns that refer to each other, small talk, riddles and refusals.</summary>
internal static class Talk
{
    public static Assignment Small(Dice d)
    {
        string[] pair = d.Pick(Lexicon.Records("smalltalk"));
        string hello = d.Chance(0.25) ? d.Say("{greeting}[!|,|.] ") : "";
        hello = hello.Replace(", ", "! ", StringComparison.Ordinal);
        return new(hello + pair[0], pair[1]);
    }

    public static Assignment Greeting(Dice d)
    {
        string hello = d.Pick(Lexicon.Words("greeting"));
        if (d.Chance(0.3))
        {
            string bye = d.Pick(Lexicon.Words("farewell"));
            return new(bye + d.Of(".", "!"), d.Say("[{0}!|Goodbye! Have a nice day.|{0}! Come back any time.]", bye));
        }
        if (d.Chance(0.4))
        {
            string name = Cast.First(d, out _);
            return new(d.Say("{0}[!|,] [I am|my name is|this is] {1}.", hello, name).Replace("! m", "! M",
                StringComparison.Ordinal).Replace("! t", "! T", StringComparison.Ordinal),
                d.Say("{0}, {1}! [How can I help you?|What can I do for you?|Nice to meet you.]", hello, name));
        }
        return new(hello + d.Of("!", ".", ""), d.Say("{0}! [How can I help you?|What can I do for you?]", hello));
    }

    public static Assignment Unknown(Dice d)
    {
        string[] pair = d.Pick(Lexicon.Records("unknowable"));
        if (d.Chance(0.4))
        {
            string name = Cast.Full(d);
            return new(d.Say("[Who is {0}?|Where does {0} live?|What does {0} do?|How old is {0}?]", name),
                d.Say("I don't know {0}.", name));
        }
        return new(pair[0], pair[1]);
    }

    public static Assignment Refusal(Dice d)
    {
        string[] pair = d.Pick(Lexicon.Records("cannot"));
        string please = d.Chance(0.4) ? "Please " + char.ToLowerInvariant(pair[0][0]) + pair[0][1..] : pair[0];
        return new(please, pair[1]);
    }

    public static Assignment Riddle(Dice d)
    {
        string[] pair = d.Pick(Lexicon.Records("riddles"));
        return new(pair[0], pair[1], Brief: pair[1].TrimEnd('.'));
    }

    /// <summary>The user says things about himself and later asks for them.</summary>
    public static IReadOnlyList<Turn> Memory(Dice d)
    {
        string name = Cast.First(d, out _), city = d.Pick(Lexicon.Words("city")), job = d.Pick(Lexicon.Words("job")),
            hobby = d.Pick(Lexicon.Words("hobby"));
        string pet = d.Pick(Lexicon.Words("pet_name")), animal = d.Of("dog", "cat", "rabbit", "horse", "parrot");
        List<(string Say, string Reply, string Ask, string Tell)> facts =
        [
            (d.Say("[My name is|I am] {0}.", name), d.Say("[Nice to meet you, {0}!|Hello, {0}!]", name),
                d.Say("[What is my name?|Do you remember my name?]"), d.Say("Your name is {0}.", name)),
            (d.Say("I live in {0}.", city), d.Say("{0} is a nice city.", city), d.Say("[Where do I live?|In which " +
                "city do I live?]"), d.Say("You live in {0}.", city)),
            (d.Say("I work as {a:0}.", job), d.Say("That is an interesting job."), d.Say("[What is my job?|What do I " +
                "work as?]"), d.Say("You work as {a:0}.", job)),
            (d.Say("[My hobby is|I like] {0}.", hobby), d.Say("[That sounds like fun.|That is a nice hobby.]"),
                d.Say("[What is my hobby?|What do I like?]"), d.Say("You like {0}.", hobby)),
            (d.Say("I have {a:0} called {1}.", animal, pet), d.Say("{0} is a good name for {a:1}.", pet, animal),
                d.Say("What is the name of my {0}?", animal), d.Say("Your {0} is called {1}.", animal, pet)),
        ];
        List<(string Say, string Reply, string Ask, string Tell)> told = d.Sample(facts, d.Between(1, 4));
        List<Turn> turns = [];
        foreach ((string say, string reply, _, _) in told)
        {
            turns.Add(new("user", say));
            turns.Add(new("assistant", reply));
        }
        foreach ((_, _, string ask, string tell) in d.Sample(told, d.Between(1, told.Count)))
        {
            turns.Add(new("user", ask));
            turns.Add(new("assistant", tell));
        }
        return turns;
    }

    /// <summary>A list that is changed step by step, or an answer whose format is changed.</summary>
    public static IReadOnlyList<Turn> FollowUp(Dice d)
    {
        List<string> items = Lists.Items(d, 3, 5);
        List<Turn> turns =
        [
            new("user", d.Say("[Here is my list: {0}|My shopping list is: {0}|Please keep this list: {0}]",
                string.Join(", ", items))),
            new("assistant", d.Say("[I have noted {0} items.|Your list has {0} items.]", English.Number(items.Count))),
        ];
        for (int i = d.Between(1, 4); i > 0; i--)
        {
            string ask;
            switch (d.Below(6))
            {
                case 0 when items.Count > 2:
                    string gone = d.Pick(items);
                    items.Remove(gone);
                    ask = d.Say("[Remove|Delete|Take away] {0}.", gone);
                    break;
                case 1:
                    string added = d.Pick(Lexicon.Words("household"));
                    if (items.Contains(added))
                    {
                        goto default;
                    }
                    items.Add(added);
                    ask = d.Say("[Add {0}.|I also need {a:0}.|Put {0} on the list.]", added);
                    break;
                case 2:
                    turns.Add(new("user", "How many items are there now?"));
                    turns.Add(new("assistant", d.Say("There are {0} items.", English.Number(items.Count))));
                    continue;
                case 3:
                    turns.Add(new("user", d.Say("[Show it|Write it] as a bullet list.")));
                    turns.Add(new("assistant", Markup.Bullets(items)));
                    continue;
                case 4:
                    turns.Add(new("user", d.Say("[Show it|Write it] as a JSON list.")));
                    turns.Add(new("assistant", Markup.JsonList(items)));
                    continue;
                default:
                    items.Reverse();
                    ask = d.Say("[Reverse the list.|Turn the order around.]");
                    break;
            }
            turns.Add(new("user", ask));
            turns.Add(new("assistant", string.Join(", ", items)));
        }
        return turns;
    }
}
