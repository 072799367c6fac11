namespace Anneal.Client;

/// <summary>Base and tuned models.</summary>
public sealed class ModelClient
{
    private readonly Transport _transport;

    internal ModelClient(Transport transport) => _transport = transport;

    /// <summary>Lists all models.</summary>
    /// <param name="cancellation">Gives up.</param>
    public IAsyncEnumerable<Model> ListAsync(CancellationToken cancellation = default) =>
        _transport.ListAsync("models", null, null, ClientJson.Default.PageModel, model => model.Id, cancellation);

    /// <summary>One model.</summary>
    /// <param name="model">Its name.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<Model> RetrieveAsync(string model, CancellationToken cancellation = default) =>
        _transport.GetAsync(Path_(model), ClientJson.Default.Model, cancellation);

    /// <summary>Deletes a tuned model.</summary>
    /// <param name="model">Its name.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<Deletion> DeleteAsync(string model, CancellationToken cancellation = default) =>
        _transport.SendAsync(HttpMethod.Delete, Path_(model), null, ClientJson.Default.Deletion, cancellation);

    private static string Path_(string model)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        return $"models/{Uri.EscapeDataString(model)}";
    }
}
