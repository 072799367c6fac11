using System.Globalization;
using Anneal.Nano.Corpus;

namespace Anneal.Nano.Samples;

/// <summary>
/// Makes the data of the quickstart: short support tickets and their triage as JSON. The patterns of the three splits
/// are disjoint, and tickets are drawn so that categories and priorities are balanced.
/// </summary>
internal static class TicketSamples
{
    /// <summary>The instruction of every example. It does not list the labels: those are what tuning teaches.</summary>
    public const string SystemPrompt = "You triage support tickets. Answer with JSON.";

    private static readonly string[] Categories = ["account", "billing", "cancellation", "feature_request", "shipping",
        "technical"];

    private static readonly string[] Priorities = ["low", "normal", "high"];

    private static readonly string[] Products =
    [
        "AeroDesk", "BrioCast", "CivoPhone", "EchoPad", "FlexiRide", "HelioHeat", "JunoChat", "KiloScan", "LumoLock",
            "MiraView",
        "NimboStore", "NovaCam", "OptiPrint", "OrbiTrack", "PulseBand", "SonaSound", "TempoFit", "TerraCool",
            "VitaWatch", "ZenLight",
    ];

    /// <summary>Writes support-train, support-valid and support-test in OpenAI's chat format.</summary>
    public static void Write(string folder, ulong seed, int train = 420, int valid = 60, int test = 60)
    {
        Directory.CreateDirectory(folder);
        IReadOnlyDictionary<string, string[]> patterns = ReadPatterns();
        foreach ((string split, int count, ulong stream) in new[] { ("train", train, 1UL), ("valid", valid, 2UL),
            ("test", test, 3UL) })
        {
            Dice dice = new(seed, stream);
            File.WriteAllText(Path.Combine(folder, $"support-{split}.jsonl"), string.Concat(Examples(dice, split,
                count, patterns)));
        }
    }

    private static List<string> Examples(Dice d, string split, int count, IReadOnlyDictionary<string,
        string[]> patterns)
    {
        HashSet<string> seen = [];
        List<string> lines = [];
        for (int i = 0; lines.Count < count; i++)
        {
            string category = Categories[lines.Count % Categories.Length];
            string priority = Priorities[lines.Count / Categories.Length % Priorities.Length];
            string product = d.Pick(Products);
            string Part(string part) => d.Say(d.Pick(patterns[$"{split} {part}"]), product, d.Between(11,
                980).ToString(CultureInfo.InvariantCulture));
            List<string> body = [Part(category)];
            if (priority != "normal")
            {
                body.Insert(d.Chance(0.8) ? 1 : 0, Part(priority));
            }
            if (d.Chance(0.3))
            {
                body.Insert(d.Between(1, body.Count), Part("detail"));
            }
            string ticket = (d.Chance(0.4) ? Part("opening") + " " : "") + string.Join(" ", body) + (d.Chance(0.4)
                ? " " + Part("closing") : "");
            if (seen.Add(ticket))
            {
                lines.Add(Line(ticket, [new("category", category), new("priority", priority), new("product",
                    product)]));
            }
        }
        d.Shuffle(lines);
        return lines;
    }

    private static string Line(string ticket, IReadOnlyList<Field> triage)
    {
        string Message(string role, string content) => Markup.Json([new("role", role), new("content", content)]);
        string[] messages = [Message("system", SystemPrompt), Message("user", ticket), Message("assistant", Markup.Json(triage))];
        return $"{{\"messages\": [{string.Join(", ", messages)}]}}\n";
    }

    private static Dictionary<string, string[]> ReadPatterns()
    {
        using StreamReader reader = new(typeof(TicketSamples).Assembly.GetManifestResourceStream("Samples/tickets.txt")!);
        Dictionary<string, List<string>> parts = [];
        string name = "";
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('@'))
            {
                name = line[1..].Trim();
                parts.Add(name, []);
            }
            else if (line.Length > 0 && !line.StartsWith('#'))
            {
                parts[name].Add(line);
            }
        }
        return parts.ToDictionary(part => part.Key, part => part.Value.ToArray());
    }
}
