using System.Text.Json.Nodes;

namespace Anneal.Engine.Text;

/// <summary>The tokens of a model that have a meaning of their own.</summary>
/// <param name="Bos">Begins a text; null if the model has none.</param>
/// <param name="Eos">Ends a text; null if the model has none.</param>
/// <param name="Pad">Fills up; null if the model has none.</param>
/// <param name="BosId">Id of <paramref name="Bos"/>.</param>
/// <param name="EosId">Id of <paramref name="Eos"/>.</param>
/// <param name="PadId">Id of <paramref name="Pad"/>.</param>
/// <param name="StopIds">Every id at which generation ends: the end of a text, of a turn, of a call.</param>
/// <param name="TemplateVariables">What chat templates see of them: <c>bos_token</c>, <c>eos_token</c> and so on, by name.</param>
public sealed record SpecialTokens(
    string? Bos,
    string? Eos,
    string? Pad,
    int? BosId,
    int? EosId,
    int? PadId,
    IReadOnlyList<int> StopIds,
    IReadOnlyDictionary<string, JsonNode?> TemplateVariables);
