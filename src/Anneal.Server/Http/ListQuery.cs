using System.Globalization;
using Anneal.Jobs;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Anneal.Server.Http;

/// <summary>
/// The query string of a list while it is being validated, in the manner of <see cref="RequestFields"/>. Empty values count as
/// absent, a parameter given twice or one that nobody asked for is a fault.
/// </summary>
internal sealed class ListQuery(IQueryCollection query)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>What is wrong so far.</summary>
    public ApiFaults Faults { get; } = new();

    /// <summary>The parameter's text, or null.</summary>
    public string? Text(string name)
    {
        _known.Add(name);
        if (!query.TryGetValue(name, out StringValues values))
        {
            return null;
        }
        if (values.Count > 1)
        {
            Faults.Add($"Invalid '{name}': the parameter is given {values.Count} times.", name, "invalid_value");
            return null;
        }
        return string.IsNullOrEmpty(values[0]) ? null : values[0];
    }

    /// <summary>The number of items a page may have.</summary>
    public int Limit(int byDefault)
    {
        if (Text("limit") is not string text)
        {
            return byDefault;
        }
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long limit))
        {
            Faults.Add($"Invalid type for 'limit': expected an integer, but got '{text}' instead.", "limit", "invalid_type");
            return byDefault;
        }
        if (limit is < 1 or > Limits.PageItemsMax)
        {
            bool below = limit < 1;
            Faults.Add(
                $"Invalid 'limit': integer {(below ? "below minimum" : "above maximum")} value. Expected a value "
                + $"{(below ? ">= 1" : $"<= {Limits.PageItemsMax}")}, but got {limit} instead.",
                "limit", below ? "integer_below_min_value" : "integer_above_max_value");
            return byDefault;
        }
        return (int)limit;
    }

    /// <summary>One of a few words, or null.</summary>
    public string? Choice(string name, params ReadOnlySpan<string> choices)
    {
        string? text = Text(name);
        if (text is not null && !choices.Contains(text))
        {
            Faults.Add(
                $"Invalid value: '{text}'. Supported values are: '{string.Join("', '", choices)}'.", name, "invalid_value");
            return null;
        }
        return text;
    }

    /// <summary>True or false, or null.</summary>
    public bool? Boolean(string name) => Choice(name, "true", "false") switch
    {
        "true" => true,
        "false" => false,
        _ => null,
    };

    /// <summary>
    /// The metadata filter: <c>metadata[k]=v</c>, repeatable, all must hold; or <c>metadata=null</c> for items without any.
    /// </summary>
    public MetadataFilter? Metadata()
    {
        Dictionary<string, string> pairs = new(StringComparer.Ordinal);
        foreach (string name in query.Keys)
        {
            if (name.StartsWith("metadata[", StringComparison.Ordinal) && name.EndsWith(']') && Text(name) is string value)
            {
                pairs[name["metadata[".Length..^1]] = value;
            }
        }
        string? whole = Text("metadata");
        if (whole is not null and not "null")
        {
            Faults.Add(
                "Invalid 'metadata': expected metadata[key]=value, or metadata=null for items without metadata.",
                "metadata", "invalid_value");
        }
        if (whole is "null" && pairs.Count > 0)
        {
            Faults.Add("Invalid 'metadata': metadata=null excludes metadata[key]=value.", "metadata", "invalid_value");
        }
        return whole is "null" ? new MetadataFilter(pairs, None: true) : pairs.Count > 0 ? new MetadataFilter(pairs, None: false) : null;
    }

    /// <summary>All faults as one 400, those of unknown parameters included; null when there are none.</summary>
    public ApiError? Check()
    {
        foreach (string name in query.Keys)
        {
            if (_known.Add(name))
            {
                Faults.Add($"Unknown parameter: '{name}'.", name, "unknown_parameter");
            }
        }
        return Faults.ToError();
    }
}
