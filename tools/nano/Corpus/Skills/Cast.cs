namespace Anneal.Nano.Corpus.Skills;

/// <summary>Made-up people, firms, goods, dates and contacts.</summary>
internal static class Cast
{
    /// <summary>A first name and the pronoun that goes with it, with a capital.</summary>
    public static string First(Dice d, out string pronoun)
    {
        bool female = d.Chance(0.5);
        pronoun = female ? "She" : "He";
        return d.Pick(Lexicon.Words(female ? "female" : "male"));
    }

    /// <summary>First name and surname.</summary>
    public static string Full(Dice d) => First(d, out _) + " " + d.Pick(Lexicon.Words("surname"));

    /// <summary>A firm such as "Blue River Foods".</summary>
    public static string Company(Dice d) => d.Say("{company_first} {company_second}[ {company_last}|]");

    /// <summary>A product name such as "NovaDesk Pro".</summary>
    public static string Product(Dice d) =>
        d.Pick(Lexicon.Words("product_first")) + Tail(d) + (d.Chance(0.5)
            ? " " + d.Pick(Lexicon.Words("product_suffix")) : "");

    /// <summary>A day and a month, such as "14 March".</summary>
    public static string Date(Dice d) => $"{d.Between(1, 28)} {d.Pick(Lexicon.Words("month"))}";

    /// <summary>A time of day such as "9:30".</summary>
    public static string Time(Dice d) => $"{d.Between(7, 21)}:{d.Of("00", "15", "30", "45")}";

    /// <summary>An order number such as "B4711".</summary>
    public static string Code(Dice d) => $"{d.Of("A", "B", "C", "K", "N", "R", "T", "X")}{d.Between(1000, 9999)}";

    /// <summary>A made-up phone number.</summary>
    public static string Phone(Dice d) => $"555-{d.Between(1000, 9999)}";

    /// <summary>A made-up mail address for a first name.</summary>
    public static string Email(Dice d, string first) =>
        $"{first.ToLowerInvariant()}@{d.Of("example.com", "mail.example", "post.example", "example.org")}";

    /// <summary>House number and street.</summary>
    public static string Address(Dice d) => $"{d.Between(1, 120)} {d.Pick(Lexicon.Words("street"))}";

    private static string Tail(Dice d)
    {
        string second = d.Pick(Lexicon.Words("product_second"));
        return d.Chance(0.6) ? second : second.ToLowerInvariant();
    }
}
