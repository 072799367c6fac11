using System.Text.Json.Nodes;

namespace Anneal.Engine.Data;

/// <summary>One line of OpenAI's supervised chat format.</summary>
/// <param name="Line">Line of the file, counted from 1.</param>
/// <param name="Messages">The messages as they stand there.</param>
/// <param name="Tools">The line's <c>tools</c>, with its <c>functions</c> as tools; null if it has none.</param>
public sealed record ChatExample(int Line, JsonArray Messages, JsonNode? Tools)
{
    /// <summary>
    /// How much a message counts in training: 0 for every message but those of the assistant, for those their <c>weight</c>, 1 unless given.
    /// </summary>
    public float WeightOf(int message) => Messages[message] is JsonObject json && json["role"] is JsonValue role
        && role.TryGetValue(out string? name) && name == "assistant"
            ? json["weight"] is JsonValue weight ? (float)double.Parse(weight.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture) : 1
            : 0;
}
