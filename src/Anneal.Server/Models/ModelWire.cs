using Anneal.Jobs;

namespace Anneal.Server.Models;

/// <summary>A <c>Model</c>. Unlike every other object it says <c>created</c>.</summary>
internal sealed record ModelWire(string Id, string Object, long Created, string OwnedBy, string? ShutdownDate)
{
    /// <summary>A base model as users see it.</summary>
    public static ModelWire Of(BaseModelFolder model) =>
        new(model.Id, "model", model.Created.ToUnixTimeSeconds(), "system", null);

    /// <summary>A tuned model as users see it.</summary>
    public static ModelWire Of(TunedModel model, string organizationId) =>
        new(model.Name, "model", model.CreatedAt.ToUnixTimeSeconds(), organizationId, null);
}

/// <summary>The list of all models; it has no pages.</summary>
internal sealed record ModelListWire(string Object, IReadOnlyList<ModelWire> Data);
