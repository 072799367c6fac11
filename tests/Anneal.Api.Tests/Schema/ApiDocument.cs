using System.Text.Json;

namespace Anneal.Api.Tests.Schema;

/// <summary>The copy of the API's OpenAPI document, and what every answer must satisfy.</summary>
internal sealed class ApiDocument
{
    /// <summary>Members that live servers send and the document does not name.</summary>
    private static readonly HashSet<string> Extensions = new(StringComparer.Ordinal) { "user_provided_suffix" };

    private readonly JsonElement _root;
    private readonly JsonSchema _schema;

    private ApiDocument(JsonElement root)
    {
        _root = root;
        _schema = new JsonSchema(root, Extensions);
    }

    /// <summary>The document.</summary>
    public static ApiDocument Instance { get; } = Load();

    /// <summary>The path template of the document that a request's path matches, or null.</summary>
    public string? TemplateOf(string path)
    {
        string[] segments = path["/v1".Length..].Split('/');
        foreach (JsonProperty template in _root.GetProperty("paths").EnumerateObject())
        {
            string[] parts = template.Name.Split('/');
            if (parts.Length == segments.Length && parts.Zip(segments).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second))
            {
                return template.Name;
            }
        }
        return null;
    }

    /// <summary>What is wrong with a JSON answer of status 200.</summary>
    public List<string> CheckAnswer(string method, string template, string contentType, JsonElement value)
    {
        JsonElement schema = _root.GetProperty("paths").GetProperty(template).GetProperty(method.ToLowerInvariant())
            .GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty(contentType).GetProperty("schema");
        List<string> faults = _schema.Check(schema, value);
        if (template == "/files")
        {
            // The document types the ids of a page as strings; live servers, and this one, send null for an empty page.
            faults.RemoveAll(fault => fault.StartsWith("$.first_id: is Null", StringComparison.Ordinal)
                || fault.StartsWith("$.last_id: is Null", StringComparison.Ordinal));
        }
        return faults;
    }

    /// <summary>What is wrong with a value of the named schema.</summary>
    public List<string> Check(string schema, JsonElement value) =>
        _schema.Check(_root.GetProperty("components").GetProperty("schemas").GetProperty(schema), value);

    private static ApiDocument Load()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Fixtures", "openapi-subset.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return new ApiDocument(document.RootElement.Clone());
    }
}
