using System.Text.Json;
using Anneal.Jobs;

namespace Anneal.Server.Http;

/// <summary>The <c>metadata</c> object that several requests carry: a few short strings under short names.</summary>
internal static class MetadataFields
{
    /// <summary>The pairs, or null when there are none. What is wrong goes to the faults.</summary>
    public static IReadOnlyDictionary<string, string>? Metadata(this RequestFields fields)
    {
        if (fields.Raw("metadata") is not JsonElement given)
        {
            return null;
        }
        string at = fields.PathOf("metadata");
        if (given.ValueKind != JsonValueKind.Object)
        {
            fields.WrongType(at, "an object", given);
            return null;
        }
        Dictionary<string, string> pairs = new(StringComparer.Ordinal);
        foreach (JsonProperty pair in given.EnumerateObject())
        {
            string pairAt = $"{at}.{pair.Name}";
            if (pair.Name.Length > Limits.MetadataKeyCharsMax)
            {
                fields.Faults.Add(
                    $"Invalid '{at}': property name too long. Expected names with maximum length {Limits.MetadataKeyCharsMax}, but "
                    + $"got a name with length {pair.Name.Length} instead.",
                    at, "property_name_above_max_length");
            }
            if (fields.Text(pair.Value, pairAt) is not string text)
            {
                continue;
            }
            if (text.Length > Limits.MetadataValueCharsMax)
            {
                fields.Faults.Add(
                    $"Invalid '{pairAt}': string too long. Expected a string with maximum length {Limits.MetadataValueCharsMax}, but "
                    + $"got a string with length {text.Length} instead.",
                    pairAt, "string_above_max_length");
            }
            pairs[pair.Name] = text;
        }
        if (pairs.Count > Limits.MetadataPairsMax)
        {
            fields.Faults.Add(
                $"Invalid '{at}': too many properties. Expected an object with at most {Limits.MetadataPairsMax} properties, but got "
                + $"an object with {pairs.Count} properties instead.",
                at, "object_above_max_properties");
        }
        return pairs.Count == 0 ? null : pairs;
    }
}
