using System.Text.Json.Nodes;
using Anneal.Engine.Architectures;
using Anneal.Engine.Checkpoints;
using Anneal.Engine.Data;
using Anneal.Engine.Tensors;

namespace Anneal.Engine.Tests.Architectures;

/// <summary>One model folder of the reference, with what transformers and PEFT computed from it.</summary>
internal sealed class ReferenceCase
{
    private readonly JsonNode _case;

    public ReferenceCase(string folder)
    {
        Folder = folder;
        _case = JsonNode.Parse(File.ReadAllText(Path.Combine(Expected, "case.json")))!;
    }

    public string Folder { get; }

    public string Expected => Path.Combine(Folder, "expected");

    public string AdapterFolder => Path.Combine(Expected, "adapter");

    public JsonNode this[string name] => _case[name]!;

    public bool Has(string name) => _case[name] is not null;

    /// <summary>The three sequences that logits, gradients and curves are about.</summary>
    public List<TokenizedExample> Sequences => Examples(_case["sequences"]!);

    /// <summary>The chats, as ids and weights.</summary>
    public List<TokenizedExample> Chats => Examples(_case["chat"]!["examples"]!);

    /// <summary>What logits may differ by: see the reference's README.</summary>
    public double LogitTolerance(double largest) =>
        (2e-5 * largest) + (5 * (double)_case["tolerance"]!["logits_float32_float64"]!);

    /// <summary>Folders of models, those of this project first; from the reference too where one is given.</summary>
    public static TheoryData<string> Folders()
    {
        TheoryData<string> folders = [];
        string? reference = Environment.GetEnvironmentVariable("ANNEAL_REFERENCE");
        List<string> roots = [Path.Combine(AppContext.BaseDirectory, "Fixtures", "models")];
        if (reference is not null)
        {
            roots.Add(Path.Combine(reference, "models"));
        }

        foreach (string root in roots.Where(Directory.Exists))
        {
            foreach (string folder in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal))
            {
                folders.Add(folder);
            }
        }

        return folders;
    }

    /// <summary>Opens the case; a model that the engine does not know must say so, and is skipped by name.</summary>
    public static ReferenceCase Open(string folder)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;
        string modelType = (string)config["model_type"]!;
        if (!ArchitectureCatalog.ModelTypes.Contains(modelType))
        {
            InvalidDataException fault = Assert.Throws<InvalidDataException>(() => BaseModel.Load(folder));
            Assert.Contains($"'{modelType}'", fault.Message, StringComparison.Ordinal);
            Assert.All(ArchitectureCatalog.ModelTypes, known => Assert.Contains(known, fault.Message, StringComparison.Ordinal));
            Assert.Skip($"{Path.GetFileName(folder)}: model_type {modelType} is not supported.");
        }

        return new ReferenceCase(folder);
    }

    /// <summary>A tensor of an expected file as numbers.</summary>
    public static float[] Numbers(SafetensorsFile file, string name) => file.Get(name).AsSpan<float>().ToArray();

    public static List<TokenizedExample> Examples(JsonNode list) =>
    [
        .. list.AsArray().Select((e, i) =>
        {
            int[] ids = [.. e!["ids"]!.AsArray().Select(n => (int)n!)];
            return new TokenizedExample(i + 1, ids, [.. e["weights"]!.AsArray().Select(n => (float)n!)], ids.Length);
        }),
    ];

    /// <summary>Fails with the place of the worst difference.</summary>
    public static void AssertClose(string what, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        (double worst, int at) = (0, 0);
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)expected[i] - actual[i]);
            if (!(difference <= worst))
            {
                (worst, at) = (difference, i);
            }
        }

        Assert.True(
            worst <= tolerance,
            $"{what}: element {at} is {actual[at]:R}, {expected[at]:R} is expected; they differ by {worst:E2}, {tolerance:E2} is allowed.");
    }

    public static double Largest(ReadOnlySpan<float> numbers)
    {
        double largest = 0;
        foreach (float number in numbers)
        {
            largest = Math.Max(largest, Math.Abs(number));
        }

        return largest;
    }
}
