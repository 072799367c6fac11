using System.Text.Json.Nodes;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Text;

/// <summary>Small tokenizer.json files for tests, written to a folder that goes away with the test.</summary>
internal sealed class TokenizerJson : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("anneal-tokenizer-");

    /// <summary>A fixture's folder.</summary>
    public static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "tokenizers", name);

    /// <summary>A fixture's tokenizer.</summary>
    public static Tokenizer LoadFixture(string name) => Tokenizer.Load(Path.Combine(Fixture(name), "tokenizer.json"));

    /// <summary>A whole file of WordLevel with the tokens given, changed by <paramref name="change"/>.</summary>
    public static string WordLevel(string[] tokens, Action<JsonObject>? change = null)
    {
        JsonObject vocabulary = [];
        for (int i = 0; i < tokens.Length; i++)
        {
            vocabulary[tokens[i]] = i;
        }

        return File(new JsonObject { ["type"] = "WordLevel", ["vocab"] = vocabulary, ["unk_token"] = tokens[0] }, change);
    }

    /// <summary>A whole file of BPE.</summary>
    public static string Bpe(string[] tokens, string[] merges, Action<JsonObject>? change = null)
    {
        JsonObject vocabulary = [];
        for (int i = 0; i < tokens.Length; i++)
        {
            vocabulary[tokens[i]] = i;
        }

        JsonArray list = [];
        foreach (string merge in merges)
        {
            list.Add((JsonNode)merge);
        }

        return File(new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = list }, change);
    }

    /// <summary>Writes a file and loads it.</summary>
    public Tokenizer Load(string json) => Tokenizer.Load(Write(System.Text.Encoding.UTF8.GetBytes(json)));

    /// <summary>Writes a file; gives its path.</summary>
    public string Write(byte[] content)
    {
        string path = Path.Combine(_folder.FullName, "tokenizer.json");
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string File(JsonObject model, Action<JsonObject>? change)
    {
        JsonObject file = new()
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "WhitespaceSplit" },
            ["post_processor"] = null,
            ["decoder"] = null,
            ["model"] = model,
        };
        change?.Invoke(file);
        return file.ToJsonString();
    }
}
