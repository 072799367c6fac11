namespace Anneal.Nano.Corpus.Skills;

/// <summary>Questions about the world, from the tables of the lexicon.</summary>
internal static class Facts
{
    public static Assignment Countries(Dice d)
    {
        string[] c = d.Pick(Lexicon.Records("countries"));
        string other = d.Pick(Lexicon.Records("countries"))[0];
        return d.Below(8) switch
        {
            0 or 1 => new(
                d.Say("[What is the capital of {0}?|Which city is the capital of {0}?|Tell me the capital of {0}.|" +
                    "Name the capital of {0}.|What is {0}'s capital city?]", c[0]),
                d.Say("The capital of {0} is {1}.", c[0], c[1]), Brief: c[1]),
            2 => new(
                d.Say("[Which country has the capital {0}?|{0} is the capital of which country?|Of which country is " +
                    "{0} the capital?]", c[1]),
                d.Say("{1} is the capital of {0}.", c[0], c[1]), Brief: c[0]),
            3 => new(
                d.Say("[On which continent is {0}?|Which continent is {0} in?|Where is {0}?]", c[0]),
                d.Say("{0} is in {1}.", c[0], c[2]), Brief: c[2]),
            4 => new(
                d.Say("[Which language is spoken in {0}?|What language do people speak in {0}?]", c[0]),
                d.Say("Many people in {0} speak {1}.", c[0], c[3]), Brief: c[3]),
            5 => new(
                d.Say("[What do you call the people of {0}?|Which adjective belongs to {0}?]", c[0]),
                d.Say("The adjective for {0} is {1}.", c[0], c[4]), Brief: c[4]),
            6 => YesNo(d.Say("Is {0} in {1}?", c[0], c[2]), d, c, true),
            _ => other == c[0] ? YesNo(d.Say("Is {0} the capital of {1}?", c[1], c[0]), d, c, true)
                : new(d.Say("Is {0} the capital of {1}?", c[1], other),
                    d.Say("No, {0} is the capital of {1}.", c[1], c[0]), Brief: "no"),
        };
    }

    public static Assignment Animals(Dice d)
    {
        string[] a = d.Pick(Lexicon.Records("animals"));
        string the = English.A(a[0]);
        string Cap(string text) => English.Capital(text);
        return d.Below(8) switch
        {
            0 => new(d.Say("[What kind of animal is {0}?|To which group of animals does {0} belong?]", the),
                Cap(d.Say("{0} is {1}.", the, English.A(a[1]))), Brief: a[1]),
            1 => new(d.Say("[How many legs does {0} have?|What is the number of legs of {0}?]", the),
                Cap(d.Say("{0} has {1} legs.", the, a[2])), Brief: a[2] == "no" ? "none" : a[2]),
            2 => new(d.Say("[Where does {0} live?|What is the home of {0}?]", the),
                Cap(d.Say("{0} lives in or near {1}.", the, a[3])), Brief: a[3]),
            3 => new(d.Say("[What does {0} eat?|What is the food of {0}?]", the),
                Cap(d.Say("{0} eats {1}.", the, a[4])), Brief: a[4]),
            4 => new(d.Say("[What sound does {0} make?|Which sound does {0} make?]", the),
                Cap(d.Say("{0} {1}.", the, a[5])), Brief: a[5]),
            5 => new(d.Say("[What is a young {0} called?|What do you call a baby {0}?]", a[0]),
                d.Say("A young {0} is called {1}.", a[0], English.A(a[6])), Brief: a[6]),
            6 => Kind(d, a),
            _ => new(d.Say("[Tell me something about {0}.|Describe {0}.|Write two sentences about {0}.]", the),
                Cap(d.Say("{0} is {1}. It has {2} legs and eats {3}.", the, English.A(a[1]), a[2], a[4]))),
        };
    }

    public static Assignment Things(Dice d)
    {
        switch (d.Below(7))
        {
            case 0:
                string[] c = d.Pick(Lexicon.Records("thing_colors"));
                return new(d.Say("[What color is {0}?|Which color does {0} have?|Tell me the color of {0}.]", c[0]),
                    English.Capital(d.Say("{0} is {1}.", c[0], c[1])), Brief: c[1]);
            case 1:
                string[] j = d.Pick(Lexicon.Records("job_facts"));
                return d.Below(4) switch
                {
                    0 => new(d.Say("What does {0} do?", j[0]), English.Capital(d.Say("{0} {1}.", j[0], j[1])),
                        Brief: j[1]),
                    1 => new(d.Say("Where does {0} work?", j[0]),
                        English.Capital(d.Say("{0} works at or in {1}.", j[0], j[2])), Brief: j[2]),
                    2 => new(d.Say("What does {0} use at work?", j[0]),
                        English.Capital(d.Say("{0} uses {1}.", j[0], j[3])), Brief: j[3]),
                    _ => new(d.Say("[Who|Which person] {0}?", j[1]), English.Capital(d.Say("{0} {1}.", j[0], j[1])),
                        Brief: j[0]),
                };
            case 2:
                string[] u = d.Pick(Lexicon.Records("uses"));
                return new(d.Say("[What is {0} used for?|What do we use {0} for?|Why do people have {0}?]", u[0]),
                    English.Capital(d.Say("{0} is used {1}.", u[0], u[1])), Brief: u[1]);
            case 3:
                string[] w = d.Pick(Lexicon.Records("uses"));
                return new(d.Say("[What can I use {1}?|What do I need {1}?]", w[0], w[1]),
                    d.Say("You can use {0} {1}.", w[0], w[1]), Brief: w[0]);
            case 4:
                string[] p = d.Pick(Lexicon.Records("planets"));
                return d.Chance(0.5)
                    ? new(d.Say("Which planet is the {0} planet from the Sun?", p[1]),
                        d.Say("{0} is the {1} planet from the Sun.", p[0], p[1]), Brief: p[0])
                    : new(d.Say("Which position does {0} have in the solar system?", p[0]),
                        d.Say("{0} is the {1} planet from the Sun.", p[0], p[1]), Brief: p[1]);
            default:
                string[] t = d.Pick(Lexicon.Records("trivia"));
                return new(t[0], t[1]);
        }
    }

    public static Assignment Definitions(Dice d)
    {
        string[] w = d.Pick(Lexicon.Records("definitions"));
        string the = English.A(w[0]);
        bool bare = w[0] is "honesty" or "courage" or "patience" or "friendship" or "feedback";
        string name = bare ? w[0] : the;
        if (d.Chance(0.3))
        {
            return new(d.Say("[Which word means \"{1}\"?|What is the word for {1}?|I am looking for a word: {1}.]",
                w[0], w[1]),
                d.Say("The word is \"{0}\".", w[0]), Brief: w[0]);
        }
        return new(
            d.Say("[What is {0}?|What does the word \"{1}\" mean?|Define \"{1}\".|Explain the word \"{1}\".|" +
                "Please explain what {0} is.|Can you tell me what {0} is?]", name, w[0]),
            English.Capital(d.Say("{0} is {1}.", name, w[1])), Brief: w[1]);
    }

    public static Assignment Calendar(Dice d)
    {
        string[] days = Lexicon.Words("day");
        string[] months = Lexicon.Words("month");
        (string[] names, string kind) = d.Chance(0.5) ? (days, "day") : (months, "month");
        int i = d.Below(names.Length);
        string next = names[(i + 1) % names.Length];
        string before = names[(i + names.Length - 1) % names.Length];
        int n = d.Between(2, 4);
        string later = names[(i + n) % names.Length];
        return d.Below(4) switch
        {
            0 => new(d.Say("[Which {1} comes after {0}?|What {1} follows {0}?]", names[i], kind),
                d.Say("{0} comes after {1}.", next, names[i]), Brief: next),
            1 => new(d.Say("[Which {1} comes before {0}?|What is the {1} before {0}?]", names[i], kind),
                d.Say("{0} comes before {1}.", before, names[i]), Brief: before),
            2 => new(d.Say("[What {1} is it {2} {1}s after {0}?|It is {0}. Which {1} will it be in {2} {1}s?]",
                    names[i], kind, English.Number(n)),
                d.Say("{0} {1}s after {2} it is {3}.", English.Capital(English.Number(n)), kind, names[i], later),
                    Brief: later),
            _ => new(d.Say("Which number does the {1} {0} have in the {2}?", names[i], kind, kind == "day" ? "week"
                : "year"),
                d.Say("{0} is the {1} {2} of the {3}.", names[i], English.Ordinal(i + 1), kind, kind == "day" ? "week"
                    : "year"),
                Brief: (i + 1).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        };
    }

    private static Assignment YesNo(string question, Dice d, string[] c, bool capital) => new(
        question,
        question.Contains("capital", StringComparison.Ordinal) && capital
            ? d.Say("Yes, {0} is the capital of {1}.", c[1], c[0]) : d.Say("Yes, {0} is in {1}.", c[0], c[2]),
        Brief: "yes");

    private static Assignment Kind(Dice d, string[] a)
    {
        string guess = d.Of("mammal", "bird", "insect", "reptile");
        bool right = guess == a[1];
        string the = English.A(a[0]);
        return new(d.Say("Is {0} {1}?", the, English.A(guess)),
            right ? d.Say("Yes, {0} is {1}.", the, English.A(guess)) : d.Say("No, {0} is {1}.", the, English.A(a[1])),
            Brief: right ? "yes" : "no");
    }
}
