namespace Anneal.Nano.Corpus.Skills;

/// <summary>Small texts to be written: letters, notices, thanks, descriptions, steps and opinions.</summary>
internal static class Writing
{
    public static Assignment Letter(Dice d)
    {
        string to = Cast.First(d, out _), from = Cast.First(d, out _), day = d.Pick(Lexicon.Words("day")),
            thing = d.Pick(Lexicon.Words("household"));
        string what = d.Pick(Lexicon.Words("event")), project = d.Pick(Lexicon.Words("project"));
        (string about, string body) = d.Below(6) switch
        {
            0 => (d.Say("thank {0} for the {1}", to, thing), d.Say("Thank you [very much |]for the {0}. [I like it a " +
                "lot.|It is very useful.|It makes me happy.] [It was kind of you to think of me.|You are a good " +
                "friend.]", thing)),
            1 => (d.Say("invite {0} to the {1} on {2}", to, what, day), d.Say("I would like to invite you to the {0} " +
                "on {1}. [It begins at seven.|We start at noon.|Everyone is welcome.] [I hope you can come.|Please " +
                "tell me if you can come.]", what, day)),
            2 => (d.Say("tell {0} that I am ill and cannot come on {1}", to, day), d.Say("I am sorry, but I am ill " +
                "and cannot come on {0}. [I hope to be well again soon.|I will call you when I feel better.]", day)),
            3 => (d.Say("ask {0} for the {1}", to, project), d.Say("[Could you please send me the {0}?|Please send " +
                "me the {0}.] [I need it for our work.|The team is waiting for it.] [Thank you for your help.|Thank " +
                "you in advance.]", project)),
            4 => (d.Say("say sorry to {0} because I broke the {1}", to, thing), d.Say("I am very sorry that I broke " +
                "the {0}. [It was an accident.|I was not careful.] [I will buy you a new one.|I will pay for it.]",
                thing)),
            _ => (d.Say("congratulate {0} on the new job", to), d.Say("Congratulations on your new job! [You have " +
                "worked hard for it.|Everyone is proud of you.] [I wish you a good start.|Good luck on your first " +
                "day!]")),
        };
        string answer = d.Say("[Dear|Hello] {0},\n\n{1}\n\n[Best wishes,|Kind regards,|Yours,]\n{2}", to, body, from);
        return new(d.Say("[Write|Please write|Draft] a short [letter|email|message] to {0}. Sign it as {1}.", about,
            from).Replace(" to thank", d.Of(" to thank", " and thank"), StringComparison.Ordinal), answer);
    }

    public static Assignment Describe(Dice d)
    {
        string thing = d.Say("[{furniture}|{household}|{clothing}|{electronics}|{kitchenware}]"),
            color = d.Pick(Lexicon.Words("color")), material = d.Pick(Lexicon.Words("material"));
        List<string> looks = d.Sample(["solid", "light", "elegant", "simple", "modern", "comfortable", "useful",
            "plain", "strong", "soft", "quiet", "cheap"], 2);
        string room = d.Pick(Lexicon.Words("room"));
        return new(
            d.Say("[Describe|Write a description of|Write two sentences about] {a:0} {1} made of {2}.", color, thing,
                material),
            d.Say("This {0} {1} is made of {2}. [It is {3} and {4}.|It looks {3} and feels {4}.] [It fits well into " +
                "the {5}.|You can use it in the {5}.|]", color, thing, material, looks[0], looks[1], room).Trim());
    }

    public static Assignment Steps(Dice d)
    {
        (string goal, string[] steps) = d.Below(12) switch
        {
            0 => ("make tea", new[] { "Boil the water.", "Put the tea into a cup.", "Pour the water over it.",
                "Wait for three minutes." }),
            1 => ("wash your hands", ["Wet your hands.", "Use soap.", "Rub your hands for twenty seconds.",
                "Rinse them with water.", "Dry them with a towel."]),
            2 => ("plant a tree", ["Dig a hole.", "Put the tree into the hole.", "Fill the hole with soil.",
                "Water the tree."]),
            3 => ("make a sandwich", ["Cut two slices of bread.", "Spread butter on them.", "Add cheese and tomato.",
                "Put the slices together."]),
            4 => ("send a letter", ["Write the letter.", "Put it into an envelope.", "Write the address on it.",
                "Add a stamp.", "Bring it to the post office."]),
            5 => ("change a light bulb", ["Turn off the light.", "Let the old bulb cool down.",
                "Unscrew the old bulb.", "Screw in the new bulb.", "Turn on the light."]),
            6 => ("paint a wall", ["Cover the floor.", "Clean the wall.", "Stir the paint.",
                "Paint the wall from top to bottom.", "Let it dry."]),
            7 => ("choose a safe password", ["Use at least twelve characters.", "Mix letters, digits and signs.",
                "Do not use your name.", "Use a different one for each account."]),
            8 => ("pack a parcel", ["Find a box of the right size.", "Wrap the things in paper.",
                "Close the box with tape.", "Write the address on it."]),
            9 => ("bake bread", ["Mix flour, water, salt and yeast.", "Knead the dough.", "Let it rest for an hour.",
                "Bake it in a hot oven."]),
            10 => ("restart a computer", ["Save your work.", "Close all programs.", "Open the menu.",
                "Choose restart.", "Wait until it is ready."]),
            _ => ("prepare a meeting", ["Choose a date.", "Invite the people.", "Write an agenda.",
                "Prepare the room."]),
        };
        int kind = d.Below(4);
        return kind switch
        {
            0 => new(d.Say("[How do I {0}?|How do you {0}?|Explain how to {0}.]", goal), Markup.Numbered(steps)),
            1 => new(d.Say("[List the steps to {0}.|Which steps do I need to {0}?]", goal), Markup.Bullets(steps)),
            2 => new(d.Say("What is the first step to {0}?", goal), steps[0]),
            _ => new(d.Say("What is the last step to {0}?", goal), steps[^1]),
        };
    }

    public static Assignment Use(Dice d)
    {
        string word = d.Say("[{household}|{tool}|{job}|{money_words}|{delivery_words}|{technical_words}|" +
            "{account_words}|{adverb}]");
        bool adverb = Lexicon.Words("adverb").Contains(word);
        string sentence = adverb
            ? d.Say("{first} {0} {1}.", d.Pick(Lexicon.Forms("intransitive"))[1], word)
            : d.Say("[{first} {0} the {1} {daypart}.|The {1} was [new|old|ready|missing|important].|{first} needs a " +
                "new {1}.|Where is the {1}?|We talked about the {1} yesterday.]",
                d.Pick(Lexicon.Forms("transitive"))[1], word);
        return new(d.Say("[Write a sentence with the word \"{0}\".|Use \"{0}\" in a sentence.|Make a sentence with " +
            "{0}.]", word), sentence);
    }

    public static Assignment Reason(Dice d)
    {
        string thing = d.Pick(Lexicon.Words("abstract"));
        (string question, string answer) = d.Below(8) switch
        {
            0 => ("Why do people read books?", "People read books to learn something and to enjoy a good story."),
            1 => ("Why is sleep important?", "Sleep is important because the body and the mind need rest."),
            2 => ("Why do people travel?", "People travel to see new places and to meet other people."),
            3 => ("Why do we go to school?", "We go to school to learn and to prepare for work."),
            4 => ("Why do companies make plans?", "Companies make plans so that everyone knows what to do."),
            5 => ("Why do customers complain?", "Customers complain when something does not work as they expected."),
            6 => ("Why is it good to be polite?", "It is good to be polite because people like to help those who " +
                "respect them."),
            _ => (d.Say("Write a sentence about {0}.", thing), d.Say("{cap:0} [is worth more than gold|makes life " +
                "better|cannot be bought|grows when it is shared].", thing)),
        };
        return new(question, answer);
    }
}
