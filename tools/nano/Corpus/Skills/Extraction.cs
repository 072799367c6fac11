namespace Anneal.Nano.Corpus.Skills;

/// <summary>Facts out of a text: single ones, as JSON and other formats, with keys as asked, and missing ones.</summary>
internal static class Extraction
{
    /// <summary>Two to four keys of the text as a JSON object.</summary>
    public static Assignment Json(Dice d)
    {
        Func<Dice, Scene> maker = Scenes.Kind(d);
        Scene probe = maker(d);
        List<string> keys = [.. d.Sample(probe.Fields, d.Between(1, Math.Min(4,
            probe.Fields.Count))).Select(f => f.Key)];
        bool missing = d.Chance(0.12);
        string extra = d.Pick(Lexicon.Words("key_extra"));
        missing &= probe.Fields.All(f => f.Key != extra);
        List<string> asked = [.. keys];
        if (missing)
        {
            asked.Insert(d.Below(asked.Count + 1), extra);
        }
        bool indented = d.Chance(0.08);
        string list = d.Chance(0.7) ? English.And(asked) : English.And([.. asked.Select(k => $"\"{k}\"")]);
        string instruction = d.Say(
            "[Extract {0} from the text as JSON|Read the {1} and answer with a JSON object with the keys {0}|" +
            "Return a JSON object with the keys {0}|Find {0} in this {1} and write them as JSON|Turn the {1} into " +
                "JSON with the keys {0}|" +
            "You read {a:1}. Answer only with JSON that has the keys {0}|Fill in the fields {0} and reply with JSON]",
            list, probe.Kind);
        instruction += indented ? d.Say("[, indented by two spaces|, with one key per line]") : missing
            ? ". Use null for what is not in the text" : "";
        return Assignment.Of(d, instruction, dice =>
        {
            Scene scene = maker(dice);
            IEnumerable<Field> fields = asked.Select(key => new Field(key,
                scene.Fields.FirstOrDefault(f => f.Key == key).Value));
            return new Work(scene.Text, indented ? Markup.JsonIndented(fields) : Markup.Json(fields));
        });
    }

    /// <summary>Keys renamed by the instruction: the model has to follow it, not its habits.</summary>
    public static Assignment Renamed(Dice d)
    {
        Func<Dice, Scene> maker = Scenes.Kind(d);
        Scene probe = maker(d);
        List<Field> fields = d.Sample(probe.Fields, d.Between(1, 3));
        List<string> names = d.Sample([.. Lexicon.Words("key_extra").Where(k => probe.Fields.All(f => f.Key != k))],
            fields.Count);
        if (d.Chance(0.3))
        {
            names = [.. names.Select(n => n.ToUpperInvariant())];
        }
        List<string> pairs = [.. fields.Select((f, i) => d.Say("the {0} as \"{1}\"", f.Key, names[i]))];
        string instruction = d.Say("[Write JSON with {0}|Give {0} in a JSON object|Answer in JSON with {0}]",
            English.And(pairs));
        List<string> keys = [.. fields.Select(f => f.Key)];
        return Assignment.Of(d, instruction, dice =>
        {
            Scene scene = maker(dice);
            return new Work(scene.Text, Markup.Json(keys.Select((key, i) => new Field(names[i],
                scene.Fields.First(f => f.Key == key).Value))));
        });
    }

    /// <summary>One fact, as bare words.</summary>
    public static Assignment Single(Dice d)
    {
        Func<Dice, Scene> maker = Scenes.Kind(d);
        string key = d.Pick(maker(d).Fields).Key;
        string instruction = d.Say("[What is the {0} in this text|Find the {0}|Extract the {0}|Which {0} does the " +
            "text mention|Tell me the {0}|Write only the {0}]", key);
        return Assignment.Of(d, instruction, dice =>
        {
            Scene scene = maker(dice);
            return new Work(scene.Text, scene.Fields.First(f => f.Key == key).Text);
        });
    }

    /// <summary>All facts as lines, YAML or CSV.</summary>
    public static Assignment Lines(Dice d)
    {
        Func<Dice, Scene> maker = Scenes.Kind(d);
        Scene probe = maker(d);
        List<string> keys = [.. d.Sample(probe.Fields, d.Between(2, 4)).Select(f => f.Key)];
        (string name, Func<IReadOnlyList<Field>, string> write) = d.Below(4) switch
        {
            0 => ("as YAML", (Func<IReadOnlyList<Field>, string>)(f => Markup.Yaml(f))),
            1 => ("as CSV with a header line", f => Markup.Csv([f])),
            2 => ("as a bullet list", f => Markup.Bullets(f.Select(x => $"{x.Key}: {x.Text}"))),
            _ => ("separated by semicolons", f => string.Join("; ", f.Select(x => x.Text))),
        };
        return Assignment.Of(d, d.Say("[Write|Extract|List|Give me] the {0} {1}", English.And(keys), name), dice =>
        {
            Scene scene = maker(dice);
            return new Work(scene.Text, write([.. keys.Select(key => scene.Fields.First(f => f.Key == key))]));
        });
    }

    /// <summary>Every name, number or place of a text.</summary>
    public static Assignment Mentions(Dice d)
    {
        bool numbers = d.Chance(0.5);
        string instruction = numbers
            ? d.Say("[List all numbers in the text|Write down every number of this text]")
            : d.Say("[List all names of people in the text|Which people are mentioned|Write down every person's name]");
        return Assignment.Of(d, instruction, dice =>
        {
            List<string> names = dice.Sample(Lexicon.Words("female"), dice.Between(1, 2));
            names.AddRange(dice.Sample(Lexicon.Words("male"), dice.Between(1, 2)));
            dice.Shuffle(names);
            List<string> counts = [], sentences = [];
            foreach (string name in names)
            {
                string n = dice.Between(2, 99).ToString(System.Globalization.CultureInfo.InvariantCulture);
                counts.Add(n);
                sentences.Add(dice.Say("{0} [has|bought|sold|found|carried|counted] {1} {2}.", name, n,
                    English.Plural(dice.Say("[{fruit}|{household}|{stationery}|{container}]"))));
            }
            return new Work(string.Join(" ", sentences), string.Join(", ", numbers ? counts : names));
        });
    }
}
