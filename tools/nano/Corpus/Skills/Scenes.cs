using System.Globalization;

namespace Anneal.Nano.Corpus.Skills;

/// <summary>A short text and the facts it states.</summary>
/// <param name="Kind">What the text is called in an instruction: "order", "advertisement" …</param>
/// <param name="Text">The text.</param>
/// <param name="Fields">Its facts under their usual keys.</param>
internal sealed record Scene(string Kind, string Text, IReadOnlyList<Field> Fields);

/// <summary>Makes scenes: texts whose facts are known, for extraction, conversion and questions.</summary>
internal static class Scenes
{
    private static readonly Func<Dice, Scene>[] All =
    [
        Order, Order, Meeting, Person, Person, Trip, Lost, Pet, Sale, JobOffer, Book, Hotel, Match, Delivery, Weather,
            Recipe, Firm,
        Contact, Purchase, Purchase, Visit, Note,
    ];

    /// <summary>A scene of any kind.</summary>
    public static Scene Any(Dice d) => d.Pick(All)(d);

    /// <summary>A maker of scenes of one kind, for tasks that are repeated.</summary>
    public static Func<Dice, Scene> Kind(Dice d) => d.Pick(All);

    private static Scene Order(Dice d)
    {
        string first = Cast.First(d, out string she), name = d.Chance(0.5) ? first
            : first + " " + d.Pick(Lexicon.Words("surname"));
        string item = d.Say("[{object_adjective} |]{household}");
        item = d.Chance(0.4) ? d.Pick(Lexicon.Words("clothing")) : item;
        int quantity = d.Between(2, 30), price = d.Between(3, 250);
        string code = Cast.Code(d), date = Cast.Date(d), things = English.Plural(item);
        return new("order", d.Say(
            "[{0} ordered {1} {2} on {3}.|On {3}, {0} ordered {1} {2}.|Order from {0}: {1} {2}, placed on {3}.] " +
            "[The order number is {4}.|Order number: {4}.|It was saved under the number {4}.] " +
            "[The total price is {5} euros.|{6} paid {5} euros.|The total is {5} euros.]",
            name, Text(quantity), things, date, code, Text(price), she),
            [new("customer", name), new("item", things), new("quantity", quantity), new("date", date), new("number",
                code), new("total", price)]);
    }

    private static Scene Meeting(Dice d)
    {
        string what = d.Pick(Lexicon.Words("event")), day = d.Pick(Lexicon.Words("day")), time = Cast.Time(d);
        string place = d.Pick(Lexicon.Words(d.Of("building", "place", "shop"))), who = Cast.First(d, out _);
        return new("announcement", d.Say(
            "[The {0} is on {1} at {2}.|The {0} will start at {2} on {1}.|Please come to the {0} on {1} at {2}.|We " +
                "invite you to the {0} on {1} at {2}.] " +
            "[We meet at the {3}.|It takes place at the {3}.|The place is the {3}.] [Please call {4} if you cannot " +
                "come.|{4} will welcome the guests.|Ask {4} if you have questions.]",
            what, day, time, place, who),
            [new("event", what), new("day", day), new("time", time), new("place", place), new("person", who)]);
    }

    private static Scene Person(Dice d)
    {
        string name = Cast.First(d, out string she), job = d.Pick(Lexicon.Words("job")),
            city = d.Pick(Lexicon.Words("city"));
        string hobby = d.Pick(Lexicon.Words("hobby"));
        int age = d.Between(18, 80);
        bool self = d.Chance(0.35);
        string text = self
            ? d.Say("[My name is {0}|I am {0}] [and I am {1} years old.|. I am {1} years old.] I [work as|am] {2} in " +
                "{3}. [My hobby is {4}.|I enjoy {4}.|In my free time I like {4}.]",
                name, Text(age), English.A(job), city, hobby).Replace(" .", ".", StringComparison.Ordinal)
            : d.Say("[{0} is {1} years old and lives in {3}.|{0}, {1} years old, lives in {3}.|{0} lives in {3} and " +
                "is {1} years old.] [{5} works as {2}.|{5} is {2}.] [{5} enjoys {4}.|{5} likes {4}.|The hobby of {0} " +
                "is {4}.]",
                name, Text(age), English.A(job), city, hobby, she);
        return new("description of a person", text,
            [new("name", name), new("age", age), new("job", job), new("city", city), new("hobby", hobby)]);
    }

    private static Scene Trip(Dice d)
    {
        string name = Cast.First(d, out string she), vehicle = d.Of("train", "bus", "plane", "ferry", "car");
        List<string> cities = d.Sample(Lexicon.Words("city"), 2);
        string day = d.Pick(Lexicon.Words("day")), time = Cast.Time(d);
        int cost = d.Between(8, 300);
        return new("travel note", d.Say(
            "[{0} travels from {1} to {2} by {3}.|{0} takes the {3} from {1} to {2}.|On the way from {1} to {2}, {0} " +
                "goes by {3}.] [The {3} leaves at {5} on {4}.|It leaves on {4} at {5}.|Departure is on {4} at {5}.] " +
                "[The ticket costs {6} euros.|{7} pays {6} euros for the ticket.|]",
            name, cities[0], cities[1], vehicle, day, time, Text(cost), she).Trim(),
            [new("name", name), new("start", cities[0]), new("destination", cities[1]), new("vehicle", vehicle),
                new("day", day), new("time", time)]);
    }

    private static Scene Lost(Dice d)
    {
        string item = d.Say("[{clothing}|{container}|{stationery}|{toy}|phone|camera|umbrella|key|ring|watch]"),
            color = d.Pick(Lexicon.Words("color"));
        string place = d.Pick(Lexicon.Words(d.Of("place", "building"))), phone = Cast.Phone(d),
            day = d.Pick(Lexicon.Words("day"));
        return new("notice", d.Say(
            "[I lost|I am looking for|I miss] my {0} {1}. [I last saw it at the {2} on {3}.|I think I left it at the " +
                "{2} on {3}.|It must have been at the {2} on {3}.] [Please call {4}.|My number is {4}.|If you find " +
                "it, please call {4}.]",
            color, item, place, day, phone),
            [new("item", item), new("color", color), new("place", place), new("day", day), new("phone", phone)]);
    }

    private static Scene Pet(Dice d)
    {
        string owner = Cast.First(d, out _), pet = d.Pick(Lexicon.Words("pet_name"));
        string animal = d.Of("dog", "cat", "rabbit", "horse", "parrot", "mouse", "turtle", "goldfish", "duck", "goat"),
            color = d.Pick(Lexicon.Words("color"));
        int age = d.Between(1, 15);
        return new("description of a pet", d.Say(
            "[{0} has {a:4} {2} called {1}.|{1} is the {4} {2} of {0}.|The {2} of {0} is {4} and is called {1}.] " +
                "[{1} is {3} years old.|The {2} is {3} years old.]",
            owner, pet, animal, Text(age), color),
            [new("owner", owner), new("name", pet), new("animal", animal), new("age", age), new("color", color)]);
    }

    private static Scene Sale(Dice d)
    {
        string adjective = d.Pick(Lexicon.Words("object_adjective")), item = d.Say("[{furniture}|{appliance}|" +
            "{instrument}|{vehicle}|{electronics}|{toy}]");
        int price = d.Between(5, 900);
        string seller = Cast.First(d, out _), phone = Cast.Phone(d), city = d.Pick(Lexicon.Words("city"));
        return new("advertisement", d.Say(
            "[For sale: {0} {1} in {5}.|{cap:0} {1} for sale in {5}.|I am selling {6} in {5}.] [The price is {2} " +
                "euros.|It costs {2} euros.|Only {2} euros.] [Call {3} at {4}.|Ask for {3}, phone {4}.|Contact: {3}, " +
                "{4}.]",
            adjective, item, Text(price), seller, phone, city, English.A($"{adjective} {item}")),
            [new("item", item), new("price", price), new("seller", seller), new("phone", phone), new("city", city)]);
    }

    private static Scene JobOffer(Dice d)
    {
        string firm = Cast.Company(d), job = d.Pick(Lexicon.Words("job")), city = d.Pick(Lexicon.Words("city")),
            month = d.Pick(Lexicon.Words("month"));
        int salary = d.Between(18, 60) * 100;
        return new("job offer", d.Say(
            "[{0} is looking for {1} in {2}.|{0} in {2} needs {1}.|{cap:1} wanted: {0} in {2} is hiring.] [The " +
                "salary is {3} euros a month.|We pay {3} euros a month.] [The work starts in {4}.|Start: {4}.]",
            firm, English.A(job), city, Text(salary), month),
            [new("company", firm), new("job", job), new("city", city), new("salary", salary), new("start", month)]);
    }

    private static Scene Book(Dice d)
    {
        string author = Cast.Full(d), topic = d.Pick(Lexicon.Words("book_topic"));
        string title = d.Say("[The|A] {cap:object_adjective} {cap:place}");
        int year = d.Between(1900, 2024), pages = d.Between(60, 700);
        return new("description of a book", d.Say(
            "[\"{0}\" is a book by {1}.|{1} wrote the book \"{0}\".|The book \"{0}\" was written by {1}.] [It " +
                "appeared in {2} and has {3} pages.|It has {3} pages and was printed in {2}.] [It is about {4}.|The " +
                "topic is {4}.]",
            title, author, Text(year), Text(pages), topic),
            [new("title", title), new("author", author), new("year", year), new("pages", pages), new("topic", topic)]);
    }

    private static Scene Hotel(Dice d)
    {
        string guest = Cast.Full(d), city = d.Pick(Lexicon.Words("city")), date = Cast.Date(d), kind = d.Of("single",
            "double", "family");
        int nights = d.Between(2, 14);
        return new("booking", d.Say(
            "[{0} booked a {1} room in {2} for {3} nights.|Booking for {0}: a {1} room in {2}, {3} nights.|{0} will " +
                "stay in {2} for {3} nights and wants a {1} room.] [Arrival is on {4}.|The guest arrives on {4}.|The " +
                "stay begins on {4}.]",
            guest, kind, city, Text(nights), date),
            [new("guest", guest), new("room", kind), new("city", city), new("nights", nights), new("date", date)]);
    }

    private static Scene Match(Dice d)
    {
        List<string> teams = d.Sample(Lexicon.Words("city"), 2);
        string sport = d.Of("football", "basketball", "hockey", "handball", "volleyball", "rugby"),
            day = d.Pick(Lexicon.Words("day"));
        int a = d.Between(0, 9), b = d.Between(0, 8);
        b += b >= a ? 1 : 0;
        string winner = a > b ? teams[0] : teams[1];
        return new("sports report", d.Say(
            "[On {4}, {0} played against {1} in {2}.|The {2} match between {0} and {1} was on {4}.|{0} met {1} in " +
                "{2} on {4}.] [The score was {3}.|It ended {3}.|The final score was {3}.] [{5} won.|The winner was " +
                "{5}.|The fans of {5} were happy.]",
            teams[0], teams[1], sport, $"{a}:{b}", day, winner),
            [new("team", teams[0]), new("opponent", teams[1]), new("sport", sport), new("score", $"{a}:{b}"),
                new("winner", winner)]);
    }

    private static Scene Delivery(Dice d)
    {
        string sender = Cast.Company(d), receiver = Cast.Full(d), address = Cast.Address(d),
            day = d.Pick(Lexicon.Words("day"));
        string content = d.Pick(Lexicon.Words(d.Of("household", "electronics", "clothing", "kitchenware")));
        return new("delivery note", d.Say(
            "[A parcel from {0} arrives on {3}.|{0} sends a parcel that arrives on {3}.|The shipment from {0} is " +
                "expected on {3}.] [It contains {4}.|Content: {4}.] [It goes to {1}, {2}.|Please deliver it to {1}, " +
                "{2}.|The receiver is {1}, {2}.]",
            sender, receiver, address, day, English.A(content)),
            [new("sender", sender), new("receiver", receiver), new("address", address), new("day", day), new("content",
                content)]);
    }

    private static Scene Weather(Dice d)
    {
        string city = d.Pick(Lexicon.Words("city")), sky = d.Pick(Lexicon.Words("weather")),
            day = d.Pick(Lexicon.Words("day"));
        int degrees = d.Between(1, 36);
        return new("weather report", d.Say(
            "[It will be {1} in {0} on {2}.|On {2} it will be {1} in {0}.|{0} expects {1} weather on {2}.] [The " +
                "temperature will reach {3} degrees.|Expect {3} degrees.|The high will be {3} degrees.]",
            city, sky, day, Text(degrees)),
            [new("city", city), new("weather", sky), new("day", day), new("temperature", degrees)]);
    }

    private static Scene Recipe(Dice d)
    {
        string dish = d.Pick(Lexicon.Words("dish"));
        List<string> parts = d.Sample(Lexicon.Words(d.Of("vegetable", "food", "fruit")), 2);
        int minutes = d.Between(2, 18) * 5, people = d.Between(2, 8);
        return new("recipe", d.Say(
            "[This {0} is for {1} people.|This recipe for {0} feeds {1} people.|To make {0} for {1} people you need " +
                "little time.] [You need {3} and {4}.|The main ingredients are {3} and {4}.] [It takes {2} minutes.|" +
                "It is ready after {2} minutes.|The cooking time is {2} minutes.]",
            dish, Text(people), Text(minutes), parts[0], parts[1]),
            [new("dish", dish), new("people", people), new("minutes", minutes)]);
    }

    private static Scene Firm(Dice d)
    {
        string firm = Cast.Company(d), city = d.Pick(Lexicon.Words("city")), boss = Cast.Full(d);
        string makes = English.Plural(d.Say("[{furniture}|{electronics}|{vehicle}|{toy}|{kitchenware}]"));
        int year = d.Between(1920, 2022), people = d.Between(5, 900);
        return new("company profile", d.Say(
            "[{0} was founded in {2} in {1}.|{0} is a company from {1} that was founded in {2}.] [It makes {3} and " +
                "has {4} workers.|The company sells {3} and employs {4} people.|With {4} people it produces {3}.] " +
                "[{5} leads the company.|The director is {5}.|Its manager is {5}.]",
            firm, city, Text(year), makes, Text(people), boss),
            [new("company", firm), new("city", city), new("year", year), new("product", makes), new("employees",
                people), new("director", boss)]);
    }

    private static Scene Contact(Dice d)
    {
        string first = Cast.First(d, out string she), name = first + " " + d.Pick(Lexicon.Words("surname"));
        string mail = Cast.Email(d, first), phone = Cast.Phone(d), city = d.Pick(Lexicon.Words("city"));
        return new("contact", d.Say(
            "[{0} lives in {3}.|{0} has moved to {3}.|My colleague {0} works in {3}.] [You can reach {4} at {1} or " +
                "{2}.|The email address is {1} and the phone number is {2}.|Write to {1} or call {2}.]",
            name, mail, phone, city, she == "She" ? "her" : "him"),
            [new("name", name), new("email", mail), new("phone", phone), new("city", city)]);
    }

    private static Scene Purchase(Dice d)
    {
        string name = Cast.First(d, out string she), product = Cast.Product(d), shop = d.Pick(Lexicon.Words("shop")),
            month = d.Pick(Lexicon.Words("month"));
        int price = d.Between(9, 900);
        string color = d.Pick(Lexicon.Words("color"));
        return new("purchase", d.Say(
            "[{0} bought {a:4} {1} at the {2} in {3}.|In {3}, {0} bought {a:4} {1} at the {2}.|{0} has owned {a:4} " +
                "{1} since {3}. It is from the {2}.] [It cost {5} euros.|{6} paid {5} euros for the {1}.|The price " +
                "of the {1} was {5} euros.]",
            name, product, shop, month, color, Text(price), she),
            [new("customer", name), new("product", product), new("shop", shop), new("month", month), new("color",
                color), new("price", price)]);
    }

    private static Scene Visit(Dice d)
    {
        string name = Cast.First(d, out string she), place = d.Pick(Lexicon.Words(d.Of("building", "place"))),
            with = d.Pick(Lexicon.Words("family"));
        string day = d.Pick(Lexicon.Words("day")), weather = d.Pick(Lexicon.Words("weather")),
            food = d.Pick(Lexicon.Words("food"));
        return new("story", d.Say(
            "[On {3}, {0} went to the {1} with {6} {2}.|{0} visited the {1} with {6} {2} on {3}.|{0} and {6} {2} " +
                "spent {3} at the {1}.] [The weather was {4}.|It was {4}.|The day was {4}.] [They ate {5} and went " +
                "home.|At noon they ate {5}.|They shared some {5}.]",
            name, place, with, day, weather, food, she == "She" ? "her" : "his"),
            [new("name", name), new("place", place), new("companion", with), new("day", day), new("weather", weather),
                new("food", food)]);
    }

    private static Scene Note(Dice d)
    {
        string from = Cast.First(d, out _), to = Cast.First(d, out _), project = d.Pick(Lexicon.Words("project")),
            day = d.Pick(Lexicon.Words("day"));
        string department = d.Pick(Lexicon.Words("department")), verb = d.Of("finish", "check", "send", "review",
            "correct", "present", "print");
        return new("note", d.Say(
            "[{0} asks {1} to {5} the {2} by {3}.|{1} should {5} the {2} by {3}, says {0}.|Note from {0}: {1}, " +
                "please {5} the {2} by {3}.] [The {4} team needs it.|It is for the {4} department.|The {4} team is " +
                "waiting for it.]",
            from, to, project, day, department, verb),
            [new("sender", from), new("receiver", to), new("document", project), new("deadline", day),
                new("department", department)]);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
