using Xunit;

namespace Anneal.Engine.Tests.Text;

/// <summary>Chat templates against what transformers and Jinja2 make of the same input.</summary>
public sealed class ChatTemplateReferenceTests
{
    [Fact]
    public void Every_bundled_case_renders_as_in_the_reference() =>
        Check(Path.Combine(AppContext.BaseDirectory, "Fixtures", "templates"));

    [Fact]
    public void Every_case_of_the_reference_folder_renders_as_in_the_reference()
    {
        string? reference = Environment.GetEnvironmentVariable("ANNEAL_REFERENCE");
        Assert.SkipWhen(reference is null, "ANNEAL_REFERENCE is not set");
        string folder = Path.Combine(reference!, "templates");
        Assert.SkipUnless(Directory.Exists(folder), $"{reference} has no folder templates");
        Check(folder);
    }

    private static void Check(string folder)
    {
        string[] files = Directory.GetFiles(folder, "*.jsonl", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        List<string> faults = [.. files.Order(StringComparer.Ordinal).SelectMany(TemplateCases.Run)];
        Assert.True(faults.Count == 0, $"{faults.Count} cases differ:\n{string.Join('\n', faults.Take(40))}");
    }
}
