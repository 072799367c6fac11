using System.Globalization;

namespace Anneal.Nano.Corpus.Skills;

/// <summary>The same content in another notation: records between JSON, YAML, CSV and sentences; dates, times and letter case.</summary>
internal static class Conversion
{
    public static Assignment Records(Dice d)
    {
        Func<Dice, Scene> maker = Scenes.Kind(d);
        int count = maker(d).Fields.Count;
        int take = d.Between(2, Math.Min(4, count));
        List<string> keys = [.. d.Sample(maker(d).Fields, take).Select(f => f.Key)];
        List<int> notations = d.Sample([0, 1, 2, 3], 2);
        string instruction = d.Say("[Convert this {0} to {1}|Write this {0} as {1}|Change the format from {0} to {1}]",
            Name(notations[0]), Name(notations[1]));
        return Assignment.Of(d, instruction, dice =>
        {
            Scene scene = maker(dice);
            IReadOnlyList<Field> fields = [.. keys.Select(key => scene.Fields.First(f => f.Key == key))];
            return new Work(Write(notations[0], fields), Write(notations[1], fields));
        });
    }

    public static Assignment Rows(Dice d)
    {
        Func<Dice, Scene> maker = Scenes.Kind(d);
        List<string> keys = [.. d.Sample(maker(d).Fields, d.Between(2, 3)).Select(f => f.Key)];
        bool table = d.Chance(0.5);
        return Assignment.Of(d, d.Say(table ? "[Turn this CSV into a Markdown table|Show this CSV as a table]"
            : "[Turn this table into CSV|Write this table as CSV]"), dice =>
        {
            IReadOnlyList<IReadOnlyList<Field>> rows = [.. Enumerable.Range(0, dice.Between(1, 3)).Select(_ =>
            {
                Scene scene = maker(dice);
                return (IReadOnlyList<Field>)[.. keys.Select(key => scene.Fields.First(f => f.Key == key))];
            })];
            return table ? new Work(Markup.Csv(rows), Markup.Table(rows)) : new Work(Markup.Table(rows),
                Markup.Csv(rows));
        });
    }

    /// <summary>A question about a record that is given as JSON.</summary>
    public static Assignment Lookup(Dice d)
    {
        Scene scene = Scenes.Any(d);
        IReadOnlyList<Field> fields = d.Sample(scene.Fields, d.Between(2, Math.Min(5, scene.Fields.Count)));
        Field wanted = d.Pick(fields);
        string input = Write(d.Of(0, 0, 1, 3), fields);
        return d.Below(4) switch
        {
            0 => new(d.Say("[Which keys does this record have?|List the keys.]"), string.Join(", ",
                fields.Select(f => f.Key)), input),
            1 => new(d.Say("[Remove the key \"{0}\" and write the rest as JSON.|Delete \"{0}\" from this record and " +
                "answer in JSON.]", wanted.Key),
                Markup.Json(fields.Where(f => f.Key != wanted.Key)), input),
            _ => new(d.Say("[What is the {0}?|Which value does \"{0}\" have?|Tell me the value of \"{0}\".|Look up " +
                "the {0}.]", wanted.Key), wanted.Text, input),
        };
    }

    public static Assignment Letters(Dice d)
    {
        (string instruction, Func<string, string> change) = d.Below(5) switch
        {
            0 or 1 => (d.Say("[Write this in capital letters|Change this text to uppercase|Put the following text in " +
                "uppercase]"), (Func<string, string>)(t => t.ToUpperInvariant())),
            2 => (d.Say("[Write this in small letters|Change this text to lowercase]"), t => t.ToLowerInvariant()),
            3 => (d.Say("[Begin every word with a capital letter|Write this in title case]"), t => string.Join(' ',
                t.Split(' ').Select(English.Capital))),
            _ => (d.Say("[Repeat this text|Write this sentence again|Copy this text exactly]"), t => t),
        };
        return Assignment.Of(d, instruction, dice =>
        {
            string sentence = Sentences.Any(dice);
            return new Work(sentence, change(sentence));
        });
    }

    public static Assignment Dates(Dice d)
    {
        string[] months = Lexicon.Words("month");
        int kind = d.Below(4);
        string instruction = kind switch
        {
            0 => d.Say("[Write this date as YYYY-MM-DD|Convert the date to the format YYYY-MM-DD|Give this date in " +
                "ISO format]"),
            1 => d.Say("[Write this date in words|Write the date with the name of the month]"),
            2 => d.Say("[Which month is it in this date|Name the month of this date]"),
            _ => d.Say("[Write this time with am or pm|Change this time to the 12-hour clock]"),
        };
        return Assignment.Of(d, instruction, dice =>
        {
            int day = dice.Between(1, 28), month = dice.Between(1, 12), year = dice.Between(1950, 2035);
            string iso = $"{year}-{month:00}-{day:00}", words = $"{day} {months[month - 1]} {year}";
            int hour = dice.Between(1, 23), minute = dice.Between(0, 11) * 5;
            string noon = $"{(hour + 11) % 12 + 1}:{minute:00} {(hour < 12 ? "am" : "pm")}";
            return kind switch
            {
                0 => new Work(words, iso),
                1 => new Work(iso, words),
                2 => new Work(iso, months[month - 1]),
                _ => new Work($"{hour}:{minute.ToString("00", CultureInfo.InvariantCulture)}", noon),
            };
        });
    }

    private static string Name(int notation) => notation switch { 0 => "JSON", 1 => "YAML", 2 => "CSV", _ => "list" };

    private static string Write(int notation, IReadOnlyList<Field> fields) => notation switch
    {
        0 => Markup.Json(fields),
        1 => Markup.Yaml(fields),
        2 => Markup.Csv([fields]),
        _ => Markup.Bullets(fields.Select(f => $"{f.Key}: {f.Text}")),
    };
}
