using System.Globalization;

namespace Anneal.Nano.Corpus.Skills;

/// <summary>
/// Everyday messages to shops and firms: what they are about, what they mention, a summary, a reply. They acquaint the
/// model with the words of such letters; no task here asks for a triage of tickets.
/// </summary>
internal static class Messages
{
    private sealed record Matter(string About, string Summary, string Reply, string[] Patterns);

    private static readonly Matter[] Matters =
    [
        new("a wrong bill", "The bill is wrong.", "I am sorry about the wrong bill. We will check it and send you a " +
            "new one.",
            ["The bill for the {0} shows {1} euros too much.", "Your invoice lists {a:0} that I never ordered.",
                "The sum on the invoice for the {0} cannot be right.", "You counted the {0} two times on my bill.",
                "My invoice says {1} euros, but the {0} was cheaper."]),
        new("a missing refund", "The writer waits for a refund.", "I am sorry for the delay. We will send the money " +
            "back this week.",
            ["I sent the {0} back, but I still wait for my money.", "The refund of {1} euros for the {0} is missing.",
                "When will you pay back the {1} euros for the {0}?", "You promised a refund for the {0} in {month}."]),
        new("a receipt", "The writer needs a receipt.", "Thank you for your message. You will get the receipt by " +
            "email today.",
            ["I need a receipt for the {0}.", "Please mail me the receipt for my payment of {1} euros.",
                "My accountant asks for the receipt of the {0}."]),
        new("a card payment", "The payment by card fails.", "I am sorry about the trouble. Please try the payment " +
            "again or use another card.",
            ["The shop does not take my credit card for the {0}.", "My payment of {1} euros was refused by the bank.",
                "I tried to pay for the {0} with my card, and it failed."]),
        new("a late parcel", "The parcel is late.", "I am sorry that you have to wait. We will ask the courier where " +
            "the parcel is.",
            ["The {0} should have been here on {day}.", "I am still waiting for the parcel with the {0}.",
                "The shipment with my {0} is {2} days late.", "Where is my {0}? The courier has not come.",
                "According to the tracking page, the {0} has not left the warehouse."]),
        new("a damaged parcel", "The goods came damaged.", "I am sorry about the damage. We will send you a new one.",
            ["The box was torn, and the {0} inside was damaged.", "The {0} came out of the parcel with a scratch.",
                "The courier dropped the package, and the {0} is in pieces.",
                "The glass of the {0} was broken when I opened the carton."]),
        new("a change of address", "The writer has a new address.", "Thank you. We have changed the address.",
            ["I have moved, please send the {0} to my new address.", "The address for the {0} is wrong, it should be " +
                "{3}.", "Can the courier bring the {0} to {3}?"]),
        new("a forgotten password", "The writer forgot a password.", "No problem. We will send you a link for a new " +
            "password.",
            ["I forgot the password for my {0}.", "The link for a new password never comes.",
                "My {0} asks for a password that I do not remember.", "How can I set a new password for the {0}?"]),
        new("a blocked account", "The account is blocked.", "I am sorry. We will open your account again.",
            ["My account is blocked after three attempts.", "I cannot get into my profile on the {0}.",
                "The login page says that my user name does not exist.", "The {0} says that my account was closed.",
                "The code for the login does not arrive on my phone."]),
        new("a crash", "The program crashes.", "I am sorry about the crash. Please install the newest update.",
            ["The {0} crashes when I open the menu.", "Since the last update, the {0} stops all the time.",
                "The program of the {0} closes by itself.", "The {0} shows an error and then restarts."]),
        new("a weak battery", "The battery is weak.", "I am sorry. We will send you a new battery.",
            ["The battery of the {0} is empty after {2} hours.", "My {0} does not charge any more.",
                "The {0} gets hot, and the battery lasts {2} hours only."]),
        new("a lost connection", "The connection is lost.", "Please restart the device and try again.",
            ["The {0} does not find the Wi-Fi.", "My {0} loses the connection every {2} minutes.",
                "The {0} is always offline.", "I cannot connect the {0} to my phone."]),
        new("the end of a subscription", "The writer wants to end a subscription.",
            "We are sorry to see you go. Your subscription ends this month.",
            ["I want to end my subscription for the {0}.", "Please stop my yearly plan for the {0}.",
                "I do not need the membership for the {0} any longer.", "How can I leave the trial of the {0}?"]),
        new("a change of plan", "The writer wants another plan.", "Thank you. We will change your plan next month.",
            ["Can I change from the basic plan to the premium plan for the {0}?", "I would like a larger plan for my " +
                "{0}.", "Is there a cheaper plan for the {0}?"]),
        new("a wish", "The writer has an idea.", "Thank you for your idea. We will talk about it in the team.",
            ["It would be nice if the {0} had a dark mode.", "I wish the {0} could speak French.",
                "Could you build a bigger button into the {0}?", "My idea: {a:0} with a timer."]),
        new("a question about a product", "The writer has a question about a product.",
            "Thank you for your question. You find the answer in the manual.",
            ["Does the {0} come with a cable?", "How heavy is the {0}?", "Which colors does the {0} have?",
                "Can children use the {0}?", "Where do I find the manual of the {0}?"]),
        new("thanks", "The writer is thankful.", "Thank you for your kind words!",
            ["Thank you for the quick help with the {0}.", "I just want to say that the {0} is wonderful.",
                "Everything about the {0} is perfect, thank you."]),
    ];

    public static Assignment About(Dice d)
    {
        if (d.Chance(0.5))
        {
            return Assignment.Of(d, d.Say("[What is this message about|What does the writer want to talk about|Say " +
                "in a few words what the message is about|Give this message a heading]"), dice =>
            {
                (Matter matter, string text, _, _) = Make(dice);
                return new Work(text, English.Capital(matter.About));
            });
        }
        List<Matter> some = d.Sample(Matters, d.Between(2, 5));
        string? key = d.Chance(0.4) ? d.Of("about", "matter", "heading", "reason") : null;
        string ask = English.Ask(d.Say("[Is this message about {0}|What is the message about: {0}|Choose what the " +
            "message is about: {0}]", English.Or([.. some.Select(m => m.About)])), '.')
            + (key is null ? "" : d.Say(" [Answer in JSON with the key \"{0}\".|Write JSON with the key {0}.]", key));
        return Assignment.Of(d, ask, dice =>
        {
            Matter matter = dice.Pick(some);
            (_, string text, _, _) = Make(dice, matter);
            return new Work(text, key is null ? matter.About : Markup.Json([new(key, matter.About)]));
        });
    }

    public static Assignment Facts(Dice d)
    {
        string thingKey = d.Of("product", "device", "article", "thing"), aboutKey = d.Of("matter", "heading", "about",
            "reason"), nameKey = d.Of("name", "writer", "sender");
        int kind = d.Below(4);
        string ask = kind switch
        {
            0 => d.Say("[Which product does the message mention|Name the product in this message|Write only the name " +
                "of the product]"),
            1 => d.Say("Write JSON with the keys {0} and {1}", thingKey, nameKey),
            2 => d.Say("[Answer with JSON: \"{0}\" says in a few words what the message is about, \"{1}\" names the " +
                "product|Write JSON with the keys {0} and {1}]", aboutKey, thingKey),
            _ => d.Say("[Who wrote this message|Find the name of the writer]"),
        };
        return Assignment.Of(d, ask, dice =>
        {
            (Matter matter, string text, string thing, string name) = Make(dice, signed: kind is 1 or 3, product: true);
            return new Work(text, kind switch
            {
                0 => thing,
                1 => Markup.Json([new(thingKey, thing), new(nameKey, name)]),
                2 => Markup.Json([new(aboutKey, matter.About), new(thingKey, thing)]),
                _ => name,
            });
        });
    }

    public static Assignment Reply(Dice d)
    {
        bool summary = d.Chance(0.4);
        return Assignment.Of(d, summary ? d.Say("[Sum up the message in one short sentence|What does the writer say, " +
            "in one sentence]")
            : d.Say("[Write a short reply to this message|Answer this message politely|Write a polite answer to the " +
                "customer]"), dice =>
        {
            (Matter matter, string text, _, _) = Make(dice);
            return new Work(text, summary ? matter.Summary : matter.Reply);
        });
    }

    private static (Matter Matter, string Text, string Thing, string Name) Make(Dice d, Matter? given = null,
        bool signed = false, bool product = false)
    {
        Matter matter = given ?? d.Pick(Matters);
        string thing = product || d.Chance(0.5) ? Cast.Product(d) : d.Say("[{electronics}|{appliance}|{household}]");
        string name = Cast.First(d, out _);
        string pattern = d.Pick(matter.Patterns);
        for (int tries = 0; product && !pattern.Contains("{0}", StringComparison.Ordinal); tries++)
        {
            pattern = matter.Patterns[tries % matter.Patterns.Length];
        }
        string text = d.Say(pattern, thing, d.Between(5, 400).ToString(CultureInfo.InvariantCulture), d.Between(2,
            9).ToString(CultureInfo.InvariantCulture), Cast.Address(d));
        string opening = d.Say("[|||{greeting}! |Good day. |Dear team! |To whom it may concern: |Hello support! ]");
        string closing = d.Say("[|||| Thank you.| Please help.| Kind regards| Please answer soon.| What can I do?]");
        string end = signed ? d.Of($" {name}", $"\n{name}", $" Best wishes, {name}") : "";
        return (matter, opening + text + closing + end, thing, name);
    }
}
