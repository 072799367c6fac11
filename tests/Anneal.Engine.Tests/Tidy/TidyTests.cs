using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Anneal.Engine.Tests.Tidy;

/// <summary>The rules of style that a machine can check. Each failure lists every offender.</summary>
public sealed partial class TidyTests
{
    private const int MethodLinesMax = 70;
    private const int FileLinesMax = 500;
    private const int LineLengthMax = 160;

    // Longer on purpose. Key: path, or path:method; value: why.
    private static readonly Dictionary<string, string> LongOnPurpose = new()
    {
        ["src/Anneal.Engine/Kernels/Simd/Tile.cs:MethodImpl"] = "24 accumulators by name: an array of them would not stay in registers",
        ["tools/nano/Training/ModelCard.cs:Write"] = "one document from top to bottom",
    };

    // What a project of ours may refer to.
    private static readonly Dictionary<string, string[]> AllowedReferences = new()
    {
        ["Anneal"] = ["Anneal.Server", "Anneal.Client"],
        ["Anneal.Server"] = ["Anneal.Jobs", "Anneal.Engine"],
        ["Anneal.Client"] = [],
        ["Anneal.Jobs"] = [],
        ["Anneal.Engine"] = [],
    };

    private static IEnumerable<string> Sources => Repository.Files("*.cs");

    private static IEnumerable<string> Texts =>
        Repository.Files().Where(file => !file.StartsWith("models/") && !file.Contains("/Fixtures/") && !file.EndsWith("/package-lock.json"));

    [Fact]
    public void Projects_refer_only_to_what_the_architecture_allows()
    {
        var wrong = new List<string>();
        foreach (string file in Repository.Files("*.csproj").Where(file => file.StartsWith("src/")))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            IEnumerable<string> references = Project(file).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
            wrong.AddRange(references.Except(AllowedReferences.GetValueOrDefault(name, [])).Select(to => $"{name} → {to}"));
            if (!AllowedReferences.ContainsKey(name))
            {
                wrong.Add($"{name} is a new project: say in docs/decisions what it earns, then allow it here");
            }
        }

        Nothing(wrong);
    }

    [Fact]
    public void The_client_and_the_engine_need_no_package() => Nothing(
        new[] { "src/Anneal.Client/Anneal.Client.csproj", "src/Anneal.Engine/Anneal.Engine.csproj" }
            .SelectMany(file => Project(file).Descendants("PackageReference").Select(package => $"{file}: {package.Attribute("Include")?.Value}")));

    [Fact]
    public void Jobs_and_engine_meet_only_in_the_runs_of_the_server() => Nothing(
        Sources.Where(file => file.StartsWith("src/Anneal.Server/") && !file.StartsWith("src/Anneal.Server/Runs/"))
            .Where(file => UsesTrainingLoop().IsMatch(CSharpScan.CodeOnly(Repository.Text(file)!))));

    [Fact]
    public void Unsafe_code_is_allowed_in_the_engine_only() => Nothing(
        Repository.Files("*.csproj")
            .Where(file => file.StartsWith("src/") && file != "src/Anneal.Engine/Anneal.Engine.csproj")
            .Where(file => Project(file).Descendants("AllowUnsafeBlocks").Any()));

    [Fact]
    public void Methods_are_short_enough_to_read_at_once() => Nothing(
        from file in Sources
        from method in CSharpScan.Methods(Repository.Text(file)!)
        where method.Lines > MethodLinesMax && !LongOnPurpose.ContainsKey($"{file}:{method.Name}")
        select $"{file}:{method.Line} {method.Name} has {method.Lines} lines");

    [Fact]
    public void Files_are_short_enough_to_hold_in_mind() => Nothing(
        from file in Sources
        let lines = Repository.Text(file)!.Count(c => c == '\n')
        where lines > FileLinesMax && !LongOnPurpose.ContainsKey(file)
        select $"{file} has {lines} lines");

    // Cases of tests are data: a row of them stays a row.
    [Fact]
    public void Lines_fit_a_screen() => Nothing(
        from file in Sources
        from line in Repository.Text(file)!.Split('\n').Select((text, index) => (text, number: index + 1))
        where line.text.Length > LineLengthMax && !(file.StartsWith("tests/") && line.text.Contains('"'))
        select $"{file}:{line.number} has {line.text.Length} characters");

    [Fact]
    public void A_list_of_exceptions_holds_nothing_that_is_gone() => Nothing(
        LongOnPurpose.Keys.Where(key => !File.Exists(Path.Combine(Repository.Root, key.Split(':')[0]))));

    [Fact]
    public void Nothing_is_left_for_later() => Nothing(
        from file in Texts
        where file != "tests/Anneal.Engine.Tests/Tidy/TidyTests.cs"
        let text = Repository.Text(file)
        where text is not null
        from Match match in LeftForLater().Matches(text)
        select $"{file}:{CSharpScan.LineOf(text, match.Index)} {match.Value}");

    [Fact]
    public void Files_are_named_after_what_they_hold_and_not_after_how_they_are_used() => Nothing(
        Repository.Files().Where(file => file.StartsWith("src/") && VagueName().IsMatch(file)));

    [Fact]
    public void No_file_names_a_machine_a_home_folder_or_a_private_package_source() => Nothing(
        from file in Repository.Files()
        where file != "tests/Anneal.Engine.Tests/Tidy/TidyTests.cs"
        let text = Repository.Text(file)
        where text is not null && text.Length < 4_000_000
        from Match match in MachinePath().Matches(text).Concat(ForeignPackageSource(file, text))
        select $"{file}:{CSharpScan.LineOf(text, match.Index)} {match.Value}");

    [Fact]
    public void Tests_over_the_reference_data_are_named_so_that_the_reference_run_finds_them() => Nothing(
        Sources.Where(file => file.StartsWith("tests/") && !file.EndsWith("ReferenceTests.cs") && !file.Contains("/Tidy/"))
            .Where(file => Repository.Text(file)!.Contains("ANNEAL_REFERENCE") && Repository.Text(file)!.Contains("[Fact")));

    [Fact]
    public void Links_in_the_documents_lead_somewhere() => Nothing(
        from file in Repository.Files("*.md")
        from Match match in MarkdownLink().Matches(Repository.Text(file)!)
        let target = match.Groups[1].Value.Split('#')[0]
        where target.Length > 0 && !target.Contains(':')
        let path = Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(file)!, target))
        where !File.Exists(path) && !Directory.Exists(path)
        select $"{file}: {target}");

    [Fact]
    public void Every_package_of_the_product_is_explained_in_a_decision()
    {
        string decisions = string.Concat(Repository.Files("*.md").Where(file => file.StartsWith("docs/decisions/")).Select(Repository.Text));
        Nothing(
            from file in Repository.Files("*.csproj")
            where file.StartsWith("src/")
            from package in Project(file).Descendants("PackageReference")
            let name = package.Attribute("Include")!.Value
            where !decisions.Contains(name)
            select $"{file}: {name}");
    }

    [Theory]
    [InlineData("class A { void M() { int x; } }", "M", 1)]
    [InlineData("class A { string M() { return $\"{(a ? \"}\" : \"{\")}\"; }\n int P { get; set; } }", "M", 1)]
    [InlineData("class A\n{\n  void M(\n    int x)\n  {\n    // }\n    Run(() => { });\n  }\n}", "M", 6)]
    [InlineData("record A(int X)\n{\n  int M()\n  { return '}'; }\n}", "M", 2)]
    [InlineData("class A { string S = \"\"\"\n } \"\"\"; int M() {\n } }", "M", 2)]
    public void The_scan_finds_methods_whatever_their_literals_hold(string source, string name, int lines)
    {
        CSharpScan.Method method = CSharpScan.Methods(source).First(method => method.Name == name);
        Assert.Equal(lines, method.Lines);
    }

    private static void Nothing(IEnumerable<string> offenders)
    {
        string[] list = [.. offenders.Distinct()];
        Assert.True(list.Length == 0, $"{list.Length} offender(s):\n  {string.Join("\n  ", list)}");
    }

    private static XDocument Project(string file) => XDocument.Load(Path.Combine(Repository.Root, file));

    // Lock files and package settings may name the public registries only.
    private static IEnumerable<Match> ForeignPackageSource(string file, string text) =>
        PackageSettings().IsMatch(file) ? PackageSource().Matches(text) : [];

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedException|\bfor now\b", RegexOptions.IgnoreCase)]
    private static partial Regex LeftForLater();

    [GeneratedRegex(@"(Helpers?|Utils?|Utilities|Manager|Common|Contracts|Abstractions|Infrastructure)(\.cs|/)")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"(?<![\w.~<}])/(home|root|work|Users|mnt)/\w|\b[A-Z]:\\Users\\")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"(package-lock\.json|\.npmrc|nuget\.config)$", RegexOptions.IgnoreCase)]
    private static partial Regex PackageSettings();

    [GeneratedRegex(@"https?://(?!registry\.npmjs\.org/|api\.nuget\.org/|opencollective\.com|github\.com|www\.apache\.org)[^""\s]+")]
    private static partial Regex PackageSource();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex MarkdownLink();

    [GeneratedRegex(@"\bSupervised\s*\.\s*Run\b")]
    private static partial Regex UsesTrainingLoop();
}
