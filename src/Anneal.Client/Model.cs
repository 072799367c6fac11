using System.Text.Json.Serialization;

namespace Anneal.Client;

/// <summary>A base or tuned model.</summary>
public sealed record Model
{
    /// <summary>Its name; tuned ones begin with <c>ft:</c>.</summary>
    public required string Id { get; init; }

    /// <summary>When it was made.</summary>
    [JsonConverter(typeof(UnixTimeConverter))]
    public required DateTimeOffset Created { get; init; }

    /// <summary>Who owns it.</summary>
    public string? OwnedBy { get; init; }

    /// <summary>True for a model that a fine-tuning job made.</summary>
    [JsonIgnore]
    public bool IsTuned => Id.StartsWith("ft:", StringComparison.Ordinal);
}
