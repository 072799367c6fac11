using System.Globalization;

namespace Anneal.Nano.Corpus.Skills;

/// <summary>Sums, comparisons, sequences, units and small word problems.</summary>
internal static class Arithmetic
{
    public static Assignment Sum(Dice d)
    {
        (int a, int b, string sign, string word, int result) = Operands(d);
        string x = Text(a), y = Text(b), answer = Text(result);
        string question = d.Say(
            "[{0} {2} {1} =|What is {0} {2} {1}?|Calculate {0} {2} {1}.|How much is {0} {3} {1}?|What is {0} {3} " +
                "{1}?|Compute {0} {3} {1}.]",
            x, y, sign, word);
        return new(question, d.Say("{0} {1} {2} = {3}", x, sign, y, answer), Brief: answer);
    }

    public static Assignment Story(Dice d)
    {
        string who = Cast.First(d, out string she);
        string things = English.Plural(d.Say("[{fruit}|{stationery}|{toy}|{container}]"));
        int a = d.Between(2, 60), b = d.Between(2, 30);
        int more = Math.Max(a, b) + 1, less = Math.Min(a, b);
        string friend = Cast.First(d, out _);
        switch (d.Below(5))
        {
            case 0:
                return Problem(d, d.Say("{0} has {1} {2}. {3} [buys|finds|gets] {4} more.", who, Text(a), things, she,
                    Text(b)),
                    d.Say("How many {0} does {1} have [now|in the end]?", things, who),
                    $"{a} + {b} = {a + b}", $"{who} has {a + b} {things}.", a + b);
            case 1:
                return Problem(d, d.Say("{0} has {1} {2}. {3} [gives {4} to {5}|loses {4} of them|sells {4} of them].",
                        who, Text(more), things, she, Text(less), friend),
                    d.Say("How many {0} [are left|does {1} have left]?", things, who),
                    $"{more} - {less} = {more - less}", $"{who} has {more - less} {things} left.", more - less);
            case 2:
                int boxes = d.Between(2, 10), each = d.Between(2, 10);
                string box = English.Plural(d.Pick(Lexicon.Words("container")));
                return Problem(d, d.Say("{0} has {1} {2} with {3} {4} in each.", who, Text(boxes), box, Text(each),
                    things),
                    d.Say("How many {0} [are there|does {1} have]?", things, who),
                    $"{boxes} × {each} = {boxes * each}", $"{who} has {boxes * each} {things}.", boxes * each);
            case 3:
                int price = d.Between(2, 12), count = d.Between(2, 10);
                return Problem(d, d.Say("One {0} costs {1} euros. {2} buys {3} of them.",
                        d.Pick(Lexicon.Words("household")), Text(price), who, Text(count)),
                    d.Say("How much does {0} pay?", who),
                    $"{count} × {price} = {price * count}", $"{who} pays {price * count} euros.", price * count);
            default:
                int paid = d.Of(10, 20, 50, 100), cost = d.Between(1, paid - 1);
                return Problem(d, d.Say("{0} pays for {1} with {2} euros. It costs {3} euros.",
                        who, English.A(d.Pick(Lexicon.Words("clothing"))), Text(paid), Text(cost)),
                    d.Say("How much money does {0} get back?", who),
                    $"{paid} - {cost} = {paid - cost}", $"{who} gets {paid - cost} euros back.", paid - cost);
        }
    }

    public static Assignment Compare(Dice d)
    {
        int a = d.Between(1, 999), b = d.Chance(0.4) ? Math.Max(1, a + d.Between(-9, 9)) : d.Between(1, 999);
        string x = Text(a), y = Text(b);
        switch (d.Below(4))
        {
            case 0 when a != b:
                bool larger = d.Chance(0.5);
                int answer = larger ? Math.Max(a, b) : Math.Min(a, b);
                return new(d.Say(larger ? "Which number is [larger|bigger|greater], {0} or {1}?"
                    : "Which number is smaller, {0} or {1}?", x, y),
                    d.Say("{0} is {1} than {2}.", Text(answer), larger ? "larger" : "smaller", Text(a + b - answer)),
                        Brief: Text(answer));
            case 1:
                string parity = a % 2 == 0 ? "even" : "odd";
                return new(d.Say("Is {0} [even or odd|an even or an odd number]?", x), $"{x} is {parity}.", Brief: parity);
            case 2:
                return new(d.Say("Is {0} [greater|larger] than {1}?", x, y),
                    a > b ? $"Yes, {x} is greater than {y}." : $"No, {x} is not greater than {y}.", Brief: a > b
                        ? "yes" : "no");
            default:
                List<int> numbers = [.. Enumerable.Range(0, d.Between(3, 6)).Select(_ => d.Between(1, 99))];
                bool max = d.Chance(0.5);
                string found = Text(max ? numbers.Max() : numbers.Min());
                return new(d.Say("[Find|What is|Tell me] the {0} [number in this list|of these numbers]: {1}", max
                    ? "largest" : "smallest",
                    string.Join(", ", numbers)), $"The {(max ? "largest" : "smallest")} number is {found}.",
                        Brief: found);
        }
    }

    public static Assignment Sequence(Dice d)
    {
        int start = d.Between(1, 30), step = d.Of(1, 2, 3, 4, 5, 10, 100);
        switch (d.Below(4))
        {
            case 0:
                int end = start + d.Between(3, 10);
                string range = string.Join(", ", Enumerable.Range(start, end - start + 1));
                return new(d.Say("[Count from {0} to {1}.|Write the numbers from {0} to {1}.|List all whole numbers " +
                    "from {0} to {1}.]",
                    Text(start), Text(end)), range);
            case 1:
                string shown = string.Join(", ", Enumerable.Range(0, 4).Select(i => start + i * step));
                string next = Text(start + 4 * step);
                return new(d.Say("[What comes next: {0}?|Which number follows {0}?|Continue: {0}]", shown),
                    $"The next number is {next}.", Brief: next);
            case 2:
                int from = d.Between(3, 12);
                return new(d.Say("Count [backwards|down] from {0} to 1.", Text(from)),
                    string.Join(", ", Enumerable.Range(1, from).Reverse()));
            default:
                bool even = d.Chance(0.5);
                int count = d.Between(3, 6);
                return new(d.Say("Write the first {0} {1} numbers.", English.Number(count), even ? "even" : "odd"),
                    string.Join(", ", Enumerable.Range(1, count).Select(i => even ? 2 * i : 2 * i - 1)));
        }
    }

    public static Assignment Words(Dice d)
    {
        int n = d.Chance(0.6) ? d.Between(0, 100) : d.Between(100, 999);
        return d.Chance(0.5)
            ? new(d.Say("[Write {0} in words.|How do you write the number {0} in words?|Spell the number {0}.]",
                Text(n)),
                English.Number(n), Brief: English.Number(n))
            : new(d.Say("[Write {0} in digits.|Which number is {0}?|Write the number {0} with digits.]",
                English.Number(n)), Text(n), Brief: Text(n));
    }

    public static Assignment Units(Dice d)
    {
        string[] u = d.Pick(Lexicon.Records("units"));
        int factor = int.Parse(u[2], CultureInfo.InvariantCulture), n = d.Between(1, factor >= 100 ? 20 : 12);
        string big = English.Plural(u[0]), small = English.Plural(u[1]);
        if (u[0] == "foot")
        {
            big = "feet";
        }
        small = u[1] switch { "inch" => "inches", "foot" => "feet", _ => small };
        return d.Below(3) switch
        {
            0 => new(d.Say("How many {0} are there in {1}?", small, English.A(u[0])),
                d.Say("There are {0} {1} in {2}.", u[2], small, English.A(u[0])), Brief: u[2]),
            1 when n > 1 => new(d.Say("[How many {0} are {1} {2}?|Convert {1} {2} to {0}.]", small, Text(n), big),
                d.Say("{1} {2} are {3} {0}.", small, Text(n), big, Text(n * factor)), Brief: Text(n * factor)),
            _ => new(d.Say("What does {0} measure?", English.A(u[0])),
                English.Capital(d.Say("{0} measures {1}.", English.A(u[0]), u[3])), Brief: u[3]),
        };
    }

    private static (int A, int B, string Sign, string Word, int Result) Operands(Dice d)
    {
        int size = d.Of(10, 10, 20, 100, 100, 1000);
        int a = d.Below(size), b = d.Below(size);
        switch (d.Below(5))
        {
            case 0 or 1:
                return (a, b, "+", "plus", a + b);
            case 2:
                return (Math.Max(a, b), Math.Min(a, b), "-", "minus", Math.Abs(a - b));
            case 3:
                a = d.Between(0, 12);
                b = d.Between(0, 12);
                return (a, b, "×", "times", a * b);
            default:
                b = d.Between(1, 12);
                int quotient = d.Between(1, 12);
                return (b * quotient, b, "/", "divided by", quotient);
        }
    }

    private static Assignment Problem(Dice d, string text, string question, string sum, string sentence, int result) =>
        new($"{text} {question}", d.Chance(0.5) ? $"{sum}. {sentence}" : sentence, Brief: Text(result));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
