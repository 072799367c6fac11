using System.Text.Json.Nodes;
using Anneal.Engine.Data;
using Anneal.Engine.Tests.Architectures;

namespace Anneal.Engine.Tests.Methods;

/// <summary>The reference's <c>methods</c> folder, where one is given.</summary>
internal static class MethodsReference
{
    /// <summary>A folder below <c>methods</c>; the test is skipped by name where it is absent.</summary>
    public static string Folder(string name)
    {
        string? reference = Environment.GetEnvironmentVariable("ANNEAL_REFERENCE");
        Assert.SkipWhen(reference is null, $"methods/{name}: ANNEAL_REFERENCE is not set.");
        string folder = Path.Combine(reference!, "methods", name);
        Assert.SkipUnless(Directory.Exists(folder), $"methods/{name} is not in {reference}.");
        return folder;
    }

    public static JsonNode Json(params string[] path) => JsonNode.Parse(File.ReadAllText(Path.Combine(path)))!;

    /// <summary>Sequences of a data file; <paramref name="choice"/> names a list of indices in it.</summary>
    public static List<TokenizedExample> Data(JsonNode data, string? choice)
    {
        List<TokenizedExample> all = ReferenceCase.Examples(data["sequences"]!);
        return choice is null ? all : [.. data[choice]!.AsArray().Select(i => all[(int)i!])];
    }

    /// <summary>The log-probabilities of everything after the first token, sequence after sequence.</summary>
    public static float[] Flat(JsonNode lists) =>
        [.. lists.AsArray().SelectMany(list => list!.AsArray().Select(n => (float)n!))];
}
