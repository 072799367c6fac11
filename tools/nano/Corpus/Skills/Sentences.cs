namespace Anneal.Nano.Corpus.Skills;

/// <summary>Single sentences of many shapes, as raw material for tasks on texts.</summary>
internal static class Sentences
{
    private static readonly string[] Shapes =
    [
        "The {person_adjective} {job} {0} {a:1} {2}.",
        "{3} {0} the {1} {2}.",
        "{3} {0} {a:1} {2} {daypart}.",
        "On {day}, {3} {0} {a:1} {2}.",
        "{3} and {4} {5} {adverb}.",
        "The {job} {5} in the {place}.",
        "My {family} {0} the {1} {2}.",
        "There is {a:1} {2} in the {room}.",
        "The {2} on the table is {1}.",
        "The {place_adjective} {place} was [quiet|full of people|covered with snow|far away|close to the {building}].",
        "{3} lives near the {place_adjective} {place}.",
        "It was {a:weather} day in {city}.",
        "The {mammal} and the {bird} met near the {place}.",
        "{3} wants to visit {city} in {season}.",
        "The {event} begins at [seven|eight|nine|noon].",
        "{3} likes {food} and {drink}.",
        "Every {day}, {3} plays {sport} with {4}.",
        "The {building} is next to the {shop}.",
        "{3} works as {a:job} in {city}.",
        "There was {a:mammal} near the {tree}.",
        "The {job} forgot the {household} in the {vehicle}.",
        "We had {dish} and {drink} for [lunch|dinner].",
        "The {money_words} was sent to {3} on {day}.",
        "{3} asked about the {delivery_words}.",
        "The {technical_words} was checked by {4}.",
        "{3} changed the {account_words} last {day}.",
        "The {contract_words} ends in {month}.",
    ];

    /// <summary>A statement in the past or present.</summary>
    public static string Any(Dice d) => Fill(d, d.Pick(Shapes));

    /// <summary>A statement about a person doing something to a thing, with its parts.</summary>
    public static (string Subject, string[] Verb, string Thing, string When) Parts(Dice d)
    {
        string subject = d.Chance(0.6) ? Cast.First(d, out _) : d.Say("[The|My] [{job}|{family}]");
        return (subject, d.Pick(Lexicon.Forms("transitive")), d.Say("{object_adjective} [{household}|{furniture}|" +
            "{clothing}|{toy}|{kitchenware}]"),
            d.Pick(Lexicon.Words("daypart")));
    }

    private static string Fill(Dice d, string shape)
    {
        string verb = d.Pick(Lexicon.Forms("transitive"))[1], moves = d.Pick(Lexicon.Forms("intransitive"))[1];
        return d.Say(shape, verb, d.Pick(Lexicon.Words("object_adjective")),
            d.Say("[{household}|{furniture}|{clothing}|{toy}|{kitchenware}|{tool}|{electronics}|{container}]"),
            Cast.First(d, out _), Cast.First(d, out _), moves);
    }
}
