using System.Globalization;

namespace Anneal.Nano.Corpus.Skills;

/// <summary>Words: opposites, forms, spelling, letters, and which words belong together.</summary>
internal static class Wordplay
{
    private static readonly string[] Kinds =
    [
        "fruit", "vegetable", "mammal", "bird", "insect", "tree", "flower", "clothing", "furniture", "tool",
            "instrument",
        "vehicle", "sport", "material", "metal", "body_part", "building", "color", "drink", "job", "shape",
    ];

    private static readonly string[] Fields =
    [
        "money_words", "delivery_words", "account_words", "technical_words", "contract_words", "food_words",
            "travel_words",
        "sport_words", "music_words", "nature_words", "health_words", "school_words",
    ];

    public static Assignment Pairs(Dice d)
    {
        if (d.Chance(0.55))
        {
            string[] p = d.Pick(Lexicon.Forms("antonyms"));
            int i = d.Below(2);
            return new(d.Say("[What is the opposite of \"{0}\"?|Give me the opposite of {0}.|Which word means the " +
                "opposite of \"{0}\"?|Opposite of {0}?]", p[i]),
                d.Say("The opposite of \"{0}\" is \"{1}\".", p[i], p[1 - i]), Brief: p[1 - i]);
        }
        string[] s = d.Pick(Lexicon.Forms("synonyms"));
        return new(d.Say("[What is another word for \"{0}\"?|Give me a synonym of {0}.|Which word means the same as " +
            "\"{0}\"?]", s[0]),
            d.Say("Another word for \"{0}\" is \"{1}\".", s[0], s[1]), Brief: s[1]);
    }

    public static Assignment Forms(Dice d)
    {
        switch (d.Below(5))
        {
            case 0:
                string[] p = d.Pick(Lexicon.Forms("plurals"));
                return new(d.Say("[What is the plural of \"{0}\"?|Write the plural of {0}.]", p[0]),
                    d.Say("The plural of \"{0}\" is \"{1}\".", p[0], p[1]), Brief: p[1]);
            case 1:
                string[] v = d.Pick(Lexicon.Forms("irregular"));
                return new(d.Say("[What is the past tense of \"{0}\"?|Put the verb {0} into the past tense.]", v[0]),
                    d.Say("The past tense of \"{0}\" is \"{1}\".", v[0], v[1]), Brief: v[1]);
            case 2:
                string[] f = d.Pick(Lexicon.Forms("irregular"));
                return new(d.Say("[What are the three forms of \"{0}\"?|Give me the forms of the verb {0}.]", f[0]),
                    d.Say("{0}, {1}, {2}", f[0], f[1], f[2]));
            case 3:
                string[] c = d.Pick(Lexicon.Forms("comparatives"));
                bool superlative = d.Chance(0.5);
                return new(d.Say("What is the {0} of \"{1}\"?", superlative ? "superlative" : "comparative", c[0]),
                    d.Say("The {0} of \"{1}\" is \"{2}\".", superlative ? "superlative" : "comparative", c[0],
                        c[superlative ? 2 : 1]), Brief: c[superlative ? 2 : 1]);
            default:
                string[] t = d.Pick(Lexicon.Forms(d.Of("transitive", "intransitive")));
                return new(d.Say("What is the -ing form of \"{0}\"?", t[0]), d.Say("The -ing form of \"{0}\" is " +
                    "\"{1}\".", t[0], t[2]), Brief: t[2]);
        }
    }

    public static Assignment Letters(Dice d)
    {
        string word = d.Say("[{fruit}|{tool}|{stationery}|{toy}|{building}|{color}|{furniture}|{account_words}|" +
            "{technical_words}]");
        word = word.Contains(' ', StringComparison.Ordinal) ? d.Pick(Lexicon.Words("color")) : word;
        string spelled = string.Join("-", word.ToUpperInvariant().ToCharArray());
        return d.Below(4) switch
        {
            0 => new(d.Say("[Spell the word \"{0}\".|How do you spell {0}?]", word), spelled, Brief: spelled),
            1 => new(d.Say("[What is the first letter of \"{0}\"?|With which letter does the word {0} begin?]", word),
                d.Say("The first letter of \"{0}\" is {1}.", word, word[..1].ToUpperInvariant()),
                    Brief: word[..1].ToUpperInvariant()),
            2 => new(d.Say("[What is the last letter of \"{0}\"?|With which letter does the word {0} end?]", word),
                d.Say("The last letter of \"{0}\" is {1}.", word, word[^1..].ToUpperInvariant()),
                    Brief: word[^1..].ToUpperInvariant()),
            _ => new(d.Say("How many letters does the word \"{0}\" have?", word),
                d.Say("{1}: the word \"{0}\" has {2} letters.", word, spelled,
                    word.Length.ToString(CultureInfo.InvariantCulture)),
                Brief: word.Length.ToString(CultureInfo.InvariantCulture)),
        };
    }

    public static Assignment OddOneOut(Dice d)
    {
        string[] source = d.Chance(0.5) ? Kinds : Fields;
        List<string> two = d.Sample(source, 2);
        List<string> words = d.Sample(Lexicon.Words(two[0]), 3);
        string odd = d.Pick(Lexicon.Words(two[1]));
        if (Lexicon.Words(two[0]).Contains(odd))
        {
            return Pairs(d);
        }
        words.Insert(d.Below(4), odd);
        return new(d.Say("[Which word does not belong in this group: {0}?|Find the odd one out: {0}|Which of these " +
            "words is different: {0}?]",
            string.Join(", ", words)), d.Say("The word that does not belong is \"{0}\".", odd), Brief: odd);
    }

    public static Assignment Category(Dice d)
    {
        if (d.Chance(0.5))
        {
            string field = d.Pick(Fields);
            string topic = Topic(field);
            List<string> choices = [.. d.Sample(Fields, 4).Where(f => f != field).Take(d.Between(1, 3)).Select(Topic)];
            choices.Insert(d.Below(choices.Count + 1), topic);
            string word = d.Pick(Lexicon.Words(field));
            return new(d.Say("[To which topic does the word \"{0}\" belong: {1}?|\"{0}\": {1}?|Choose the topic of " +
                "the word \"{0}\": {1}.]", word, English.Or(choices)),
                d.Say("The word \"{0}\" belongs to {1}.", word, topic), Brief: topic);
        }
        string kind = d.Pick(Kinds);
        string thing = d.Pick(Lexicon.Words(kind));
        string name = KindName(kind);
        return new(d.Say("[What kind of thing is \"{0}\"?|Which category does \"{0}\" belong to?|Put the word " +
            "\"{0}\" into a category.]", thing),
            d.Say("The category of \"{0}\" is {1}.", thing, name), Brief: name);
    }

    public static Assignment Group(Dice d)
    {
        string field = d.Pick(Fields);
        string words = string.Join(", ", d.Sample(Lexicon.Words(field), d.Between(3, 5)));
        string topic = Topic(field);
        return d.Chance(0.5)
            ? new(d.Say("[What do these words have in common: {0}?|Find a topic for these words: {0}]", words),
                d.Say("They all belong to {0}.", topic), Brief: topic)
            : new(d.Say("[Give me|Write|Name] some words about {0}.", topic), words);
    }

    /// <summary>What a list of words is called in a text.</summary>
    public static string KindName(string list) => list switch
    {
        "body_part" => "part of the body",
        "clothing" => "clothing",
        "instrument" => "musical instrument",
        _ => list.Replace('_', ' '),
    };

    private static string Topic(string field) => field switch
    {
        "account_words" => "user accounts",
        "technical_words" => "devices and programs",
        "contract_words" => "contracts",
        _ => field[..field.IndexOf('_', StringComparison.Ordinal)],
    };
}
