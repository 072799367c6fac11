namespace Anneal.Nano.Corpus.Skills;

/// <summary>Lists: naming members of a kind, and changing the order, the case or the layout of a given list.</summary>
internal static class Lists
{
    private static readonly string[] Kinds =
    [
        "fruit", "vegetable", "food", "drink", "mammal", "bird", "insect", "fish", "tree", "flower", "clothing",
            "furniture", "tool",
        "instrument", "vehicle", "sport", "electronics", "material", "metal", "gem", "body_part", "room", "building",
            "color", "shape",
        "job", "stationery", "hobby", "subject", "kitchenware", "toy", "city", "language",
    ];

    public static Assignment Name(Dice d)
    {
        string kind = d.Pick(Kinds);
        int n = d.Between(2, 6);
        List<string> items = d.Sample(Lexicon.Words(kind), n);
        string plural = Plural(kind);
        string count = d.Chance(0.7) ? English.Number(n)
            : n.ToString(System.Globalization.CultureInfo.InvariantCulture);
        string ask = d.Say("[Name|List|Give me|Write down|Tell me|Can you name] {0} {1}", count, plural);
        bool question = ask.StartsWith("Can", StringComparison.Ordinal);
        return d.Below(5) switch
        {
            0 => new(ask + " as a bullet list.", Markup.Bullets(items)),
            1 => new(ask + d.Say(" [as a numbered list|with numbers]."), Markup.Numbered(items)),
            2 => new(ask + d.Say(" as a JSON [list|array]."), Markup.JsonList(items)),
            3 => new(ask + " separated by commas.", string.Join(", ", items)),
            _ => new(ask + (question ? "?" : "."), English.Capital(English.And(items)) + ".", Brief: string.Join(", ",
                items)),
        };
    }

    public static Assignment Reorder(Dice d)
    {
        string extra = d.Pick(Lexicon.Words("household"));
        (string pattern, Func<List<string>, IEnumerable<string>> change) = d.Below(7) switch
        {
            0 => ("[Reverse this list|Reverse the order of these words|Write this list backwards]", l => Enumerable.Reverse(l)),
            1 or 2 => (
                "[Sort these words alphabetically|Put this list into alphabetical order|Sort this list from A to Z]",
                l => l.Order(StringComparer.OrdinalIgnoreCase)),
            3 => (
                "[Write this list in capital letters|Change these words to uppercase]", l => l.Select(w => w.ToUpperInvariant())),
            4 => ("[Remove the first item of this list|Delete the first word of this list]", l => l.Skip(1)),
            5 => ("[Remove the last item of this list|Delete the last word of this list]", l => l.Take(l.Count - 1)),
            _ => (
                "[Add \"{0}\" to the end of this list|Append \"{0}\" to this list]",
                (Func<List<string>, IEnumerable<string>>)(l => l.Append(extra))),
        };
        string instruction = d.Say(pattern, extra);
        return Assignment.Of(d, instruction, dice =>
        {
            List<string> items = Items(dice, 3, 6);
            return new Work(string.Join(", ", items), string.Join(", ", change(items)));
        });
    }

    public static Assignment Pick(Dice d)
    {
        (string instruction, Func<List<string>, string> change) = d.Below(5) switch
        {
            0 => (d.Say("[What is|Tell me] the first item of this list"), l => l[0]),
            1 => (d.Say("[What is|Tell me] the last item of this list"), l => l[^1]),
            2 => (d.Say("[What is|Tell me] the second item of this list"), l => l[1]),
            3 => (d.Say("[What is|Tell me] the third item of this list"), l => l[2]),
            _ => ("How many items are in this list", (Func<List<string>,
                string>)(l => l.Count.ToString(System.Globalization.CultureInfo.InvariantCulture))),
        };
        return Assignment.Of(d, instruction, dice =>
        {
            List<string> items = Items(dice, 3, 7);
            return new Work(string.Join(", ", items), change(items));
        });
    }

    public static Assignment Layout(Dice d)
    {
        (string name, Func<IReadOnlyList<string>, string> write) = d.Below(4) switch
        {
            0 => (d.Say("as a bullet list"), (Func<IReadOnlyList<string>, string>)(l => Markup.Bullets(l))),
            1 => (d.Say("as a numbered list"), l => Markup.Numbered(l)),
            2 => (d.Say("as a JSON [array|list]"), l => Markup.JsonList(l)),
            _ => (d.Say("with one item per line"), l => string.Join("\n", l)),
        };
        Func<IReadOnlyList<string>, string> read = d.Below(3) switch
        {
            0 => English.And,
            1 => l => string.Join(", ", l),
            _ => l => string.Join("; ", l),
        };
        return Assignment.Of(d, d.Say("[Write|Format|Show|Rewrite] [this list|the following items|these " +
            "words] ") + name, dice =>
        {
            List<string> items = Items(dice, 2, 6);
            return new Work(read(items), write(items));
        });
    }

    public static Assignment Filter(Dice d)
    {
        List<string> kinds = d.Sample(Kinds, 2);
        string wanted = kinds[0];
        return Assignment.Of(d, d.Say("[Write only the {0} from this list|Which of these words are {0}|Find the {0} " +
            "in this list]", Plural(wanted)), dice =>
        {
            HashSet<string> good = [.. dice.Sample(Lexicon.Words(wanted), dice.Between(1, 3))];
            List<string> all = [.. good, .. dice.Sample(Lexicon.Words(kinds[1]), dice.Between(1,
                3)).Where(w => !Lexicon.Words(wanted).Contains(w))];
            dice.Shuffle(all);
            return new Work(string.Join(", ", all), string.Join(", ", all.Where(good.Contains)));
        });
    }

    /// <summary>Mixed things for a list that is given.</summary>
    public static List<string> Items(Dice d, int low, int high)
    {
        int n = d.Between(low, high);
        if (d.Chance(0.4))
        {
            HashSet<string> mixed = [];
            while (mixed.Count < n)
            {
                mixed.Add(d.Pick(Lexicon.Words(d.Pick(Kinds))));
            }
            return [.. mixed];
        }
        string kind = d.Of("fruit", "vegetable", "tool", "household", "clothing", "city", "female", "male",
            "electronics", "money_words", "delivery_words",
            "account_words", "technical_words", "contract_words", "color", "animal", "stationery", "food", "dish",
                "job");
        return d.Sample(Lexicon.Words(kind == "animal" ? "mammal" : kind), n);
    }

    private static string Plural(string kind) => kind switch
    {
        "clothing" => "pieces of clothing",
        "furniture" => "pieces of furniture",
        "electronics" => "electronic devices",
        "kitchenware" => "things from the kitchen",
        "stationery" => "things from a desk",
        "fish" => "kinds of fish",
        "food" => "kinds of food",
        "body_part" => "parts of the body",
        "instrument" => "musical instruments",
        "subject" => "school subjects",
        _ => English.Plural(kind),
    };
}
