namespace Anneal.Engine.Tests.Text;

/// <summary>Every tokenizer of the reference, exactly; and the copies of a few of them that travel with the tests.</summary>
public sealed class TokenizerReferenceTests
{
    private const string None = "(none)";

    private static readonly string? Reference = Environment.GetEnvironmentVariable("ANNEAL_REFERENCE");

    public static TheoryData<string> ReferenceFolders() => Folders(Reference is null ? null : Path.Combine(Reference, "tokenizers"));

    public static TheoryData<string> FixtureFolders() => Folders(Fixtures);

    private static string Fixtures => Path.Combine(AppContext.BaseDirectory, "Fixtures", "tokenizers");

    [Theory]
    [MemberData(nameof(ReferenceFolders))]
    public void A_reference_tokenizer_gives_the_same_ids_texts_and_streams(string name)
    {
        Assert.SkipWhen(Reference is null, "ANNEAL_REFERENCE is not set");
        Assert.SkipWhen(name == None, $"{Reference} has no folder tokenizers");
        Check(Path.Combine(Reference!, "tokenizers", name));
    }

    [Theory]
    [MemberData(nameof(FixtureFolders))]
    public void A_fixture_tokenizer_gives_the_same_ids_texts_and_streams(string name)
    {
        Assert.NotEqual(None, name);
        Check(Path.Combine(Fixtures, name));
    }

    private static void Check(string folder)
    {
        (List<string> faults, int compared) = TokenizerCases.Run(folder);
        Assert.True(compared > 0, $"{folder} has no cases.");
        Assert.True(faults.Count == 0, TokenizerCases.Describe(faults));
    }

    private static TheoryData<string> Folders(string? parent)
    {
        string[] names = parent is not null && Directory.Exists(parent)
            ? [.. Directory.GetDirectories(parent).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)] : [];
        return new TheoryData<string>(names.Length == 0 ? [None] : names);
    }
}
