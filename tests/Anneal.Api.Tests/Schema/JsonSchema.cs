using System.Text.Json;

namespace Anneal.Api.Tests.Schema;

/// <summary>
/// Checks a JSON value against a schema of the OpenAPI document: the keywords that the document uses, no more. A keyword that is
/// not known throws, so that a newer document cannot be checked by half. Members that the schema does not name are faults as
/// well, unless the schema allows others or they are listed as extensions.
/// </summary>
internal sealed class JsonSchema(JsonElement root, IReadOnlySet<string> extensions)
{
    private static readonly HashSet<string> Annotations = new(StringComparer.Ordinal)
    {
        "description", "title", "default", "example", "examples", "deprecated", "discriminator", "format", "readOnly",
    };

    /// <summary>Everything that is wrong with the value; empty when it conforms.</summary>
    public List<string> Check(JsonElement schema, JsonElement value)
    {
        List<string> faults = [];
        Visit(schema, value, "$", faults, checkNames: true);
        return faults;
    }

    private void Visit(JsonElement schema, JsonElement value, string at, List<string> faults, bool checkNames)
    {
        schema = Resolve(schema);
        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            Apply(keyword, schema, value, at, faults);
        }
        if (checkNames && value.ValueKind == JsonValueKind.Object)
        {
            CheckNames(schema, value, at, faults);
        }
    }

    private void Apply(JsonProperty keyword, JsonElement schema, JsonElement value, string at, List<string> faults)
    {
        switch (keyword.Name)
        {
            case "type":
                Expect(Types(keyword.Value).Any(type => Is(type, value)), at, $"is {value.ValueKind}, not {keyword.Value}", faults);
                break;
            case "enum":
                Expect(keyword.Value.EnumerateArray().Any(e => JsonElement.DeepEquals(e, value)), at, $"{value} is not in the enum", faults);
                break;
            case "allOf":
                foreach (JsonElement part in keyword.Value.EnumerateArray())
                {
                    Visit(part, value, at, faults, checkNames: false);
                }
                break;
            case "anyOf":
            case "oneOf":
                Alternatives(keyword.Value, value, at, faults);
                break;
            case "properties" when value.ValueKind == JsonValueKind.Object:
                foreach (JsonProperty property in keyword.Value.EnumerateObject())
                {
                    if (value.TryGetProperty(property.Name, out JsonElement member))
                    {
                        Visit(property.Value, member, $"{at}.{property.Name}", faults, checkNames: true);
                    }
                }
                break;
            case "required" when value.ValueKind == JsonValueKind.Object:
                foreach (JsonElement name in keyword.Value.EnumerateArray())
                {
                    Expect(value.TryGetProperty(name.GetString()!, out _), at, $"'{name}' is missing", faults);
                }
                break;
            case "items" when value.ValueKind == JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Visit(keyword.Value, item, $"{at}[{index++}]", faults, checkNames: true);
                }
                break;
            case "additionalProperties" when keyword.Value.ValueKind == JsonValueKind.Object && value.ValueKind == JsonValueKind.Object:
                foreach (JsonProperty member in value.EnumerateObject().Where(m => !Named(schema, m.Name)))
                {
                    Visit(keyword.Value, member.Value, $"{at}.{member.Name}", faults, checkNames: true);
                }
                break;
            case "propertyNames" when value.ValueKind == JsonValueKind.Object:
                int longest = keyword.Value.GetProperty("maxLength").GetInt32();
                Expect(value.EnumerateObject().All(m => m.Name.Length <= longest), at, "a name is too long", faults);
                break;
            case "properties" or "required" or "items" or "additionalProperties" or "propertyNames":
                break;
            default:
                Limit(keyword, value, at, faults);
                break;
        }
    }

    private static void Limit(JsonProperty keyword, JsonElement value, string at, List<string> faults)
    {
        bool number = value.ValueKind == JsonValueKind.Number;
        bool text = value.ValueKind == JsonValueKind.String;
        bool array = value.ValueKind == JsonValueKind.Array;
        bool holds = keyword.Name switch
        {
            "minimum" => !number || value.GetDouble() >= keyword.Value.GetDouble(),
            "maximum" => !number || value.GetDouble() <= keyword.Value.GetDouble(),
            "exclusiveMinimum" => !number || value.GetDouble() > keyword.Value.GetDouble(),
            "minLength" => !text || value.GetString()!.Length >= keyword.Value.GetInt32(),
            "maxLength" => !text || value.GetString()!.Length <= keyword.Value.GetInt32(),
            "minItems" => !array || value.GetArrayLength() >= keyword.Value.GetInt32(),
            "maxItems" => !array || value.GetArrayLength() <= keyword.Value.GetInt32(),
            "maxProperties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() <= keyword.Value.GetInt32(),
            _ => Annotations.Contains(keyword.Name) || keyword.Name.StartsWith("x-", StringComparison.Ordinal)
                ? true
                : throw new NotSupportedException($"The schema keyword '{keyword.Name}' is not checked yet."),
        };
        Expect(holds, at, $"{value.GetRawText()} breaks {keyword.Name} {keyword.Value}", faults);
    }

    /// <summary>At least one alternative must hold. The one with the fewest faults is told.</summary>
    private void Alternatives(JsonElement alternatives, JsonElement value, string at, List<string> faults)
    {
        List<string>? best = null;
        foreach (JsonElement alternative in alternatives.EnumerateArray())
        {
            List<string> found = [];
            Visit(alternative, value, at, found, checkNames: true);
            if (best is null || found.Count < best.Count)
            {
                best = found;
            }
        }
        faults.AddRange(best ?? []);
    }

    private void CheckNames(JsonElement schema, JsonElement value, string at, List<string> faults)
    {
        if (!Describes(schema))
        {
            return;
        }
        foreach (JsonProperty member in value.EnumerateObject())
        {
            Expect(Named(schema, member.Name) || extensions.Contains(member.Name), at, $"'{member.Name}' is not in the schema", faults);
        }
    }

    /// <summary>True when the schema lists members and does not invite others.</summary>
    private bool Describes(JsonElement schema)
    {
        schema = Resolve(schema);
        if (schema.TryGetProperty("additionalProperties", out JsonElement others) && others.ValueKind != JsonValueKind.False)
        {
            return false;
        }
        return schema.TryGetProperty("properties", out _)
            || (schema.TryGetProperty("allOf", out JsonElement parts) && parts.EnumerateArray().Any(Describes));
    }

    private bool Named(JsonElement schema, string name)
    {
        schema = Resolve(schema);
        return (schema.TryGetProperty("properties", out JsonElement properties) && properties.TryGetProperty(name, out _))
            || (schema.TryGetProperty("allOf", out JsonElement parts) && parts.EnumerateArray().Any(part => Named(part, name)));
    }

    private JsonElement Resolve(JsonElement schema)
    {
        while (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            schema = root;
            foreach (string segment in reference.GetString()!.Split('/').Skip(1))
            {
                schema = schema.GetProperty(segment);
            }
        }
        return schema;
    }

    private static IEnumerable<string> Types(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(t => t.GetString()!) : [type.GetString()!];

    /// <summary>An integer is a number without fraction or exponent in its text: strict clients refuse 88.0.</summary>
    private static bool Is(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _) && !value.GetRawText().Contains('.'),
        _ => throw new NotSupportedException($"The schema type '{type}' is not checked yet."),
    };

    private static void Expect(bool holds, string at, string fault, List<string> faults)
    {
        if (!holds)
        {
            faults.Add($"{at}: {fault}");
        }
    }
}
