using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Anneal.Jobs;
using Anneal.Jobs.Blobs;
using Anneal.Server.Http;
using Anneal.Server.Models;
using Microsoft.AspNetCore.Http;

namespace Anneal.Server.Chat;

/// <summary>
/// The models of this installation, run by the engine. A base model is loaded by the first request that needs it and stays;
/// tuned models are adapters beside their base, so many of them share one base's memory and one batch.
/// </summary>
internal sealed class ChatModels(JobStore store, IBlobStore blobs, ModelFolders bases, TimeProvider time) : IChatModels, IAsyncDisposable
{
    private const string AdapterFile = "adapter_config.json";

    private readonly ConcurrentDictionary<string, Lazy<Task<LoadedBase>>> _loaded = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async Task<IChatModel?> OpenAsync(string name, CancellationToken cancellation)
    {
        if (bases.Find(name) is BaseModelFolder model)
        {
            LoadedBase loaded = await LoadAsync(model, name, cancellation);
            string fingerprint = Fingerprint($"{model.Id} {model.Created.UtcTicks}");
            return new EngineChatModel(loaded, adapter: null, adapterFolder: null, fingerprint, time.GetLocalNow());
        }
        if (bases.WhyUnusable(name) is string why)
        {
            throw new ApiException(ApiError.Bad($"The model `{name}` cannot be used. {why}", "model", "model_not_available"));
        }
        TunedModel? tuned = await store.GetModelAsync(name, cancellation);
        return tuned is null ? null : await OpenTunedAsync(tuned, cancellation);
    }

    /// <inheritdoc/>
    public void Forget(string name)
    {
        foreach (Lazy<Task<LoadedBase>> entry in _loaded.Values)
        {
            if (entry is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            {
                entry.Value.Result.ForgetAdapter(name);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Lazy<Task<LoadedBase>> entry in _loaded.Values)
        {
            if (entry is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            {
                await (await entry.Value).DisposeAsync();
            }
        }
        _loaded.Clear();
    }

    private async Task<IChatModel> OpenTunedAsync(TunedModel tuned, CancellationToken cancellation)
    {
        if (bases.Find(tuned.BaseModel) is not BaseModelFolder model)
        {
            throw new ApiException(ApiError.Bad(
                $"The model `{tuned.Name}` was tuned from {tuned.BaseModel}, which is not on this server any more.",
                "model", "model_not_available"));
        }
        if (FolderOf(tuned) is not string folder)
        {
            throw Unloadable(tuned.Name, "its files are damaged or are no adapter.");
        }
        LoadedBase loaded = await LoadAsync(model, tuned.Name, cancellation);
        try
        {
            loaded.EnsureAdapter(tuned.Name, folder);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or IOException)
        {
            throw Unloadable(tuned.Name, damaged.Message);
        }
        string weights = string.Join(' ', tuned.Files.Select(file => file.Sha256));
        string fingerprint = Fingerprint($"{model.Id} {model.Created.UtcTicks} {weights}");
        return new EngineChatModel(loaded, tuned.Name, folder, fingerprint, time.GetLocalNow());
    }

    /// <summary>
    /// The folder that holds an adapter's files under their own names, which is how checkpoints are stored. Null when a file is
    /// not where it should be.
    /// </summary>
    private string? FolderOf(TunedModel tuned)
    {
        string? folder = null;
        foreach (NamedBlob file in tuned.Files)
        {
            string? path = blobs.LocalPath(file.BlobKey);
            if (path is null || Path.GetFileName(path) != file.Name || !File.Exists(path))
            {
                return null;
            }
            string parent = Path.GetDirectoryName(path)!;
            if (folder is not null && folder != parent)
            {
                return null;
            }
            folder = parent;
        }
        return folder is not null && tuned.Files.Any(file => file.Name == AdapterFile) ? folder : null;
    }

    private async Task<LoadedBase> LoadAsync(BaseModelFolder model, string name, CancellationToken cancellation)
    {
        Lazy<Task<LoadedBase>> entry = _loaded.GetOrAdd(
            model.Id, _ => new Lazy<Task<LoadedBase>>(() => Task.Run(() => LoadedBase.Load(model.Folder), CancellationToken.None)));
        try
        {
            return await entry.Value.WaitAsync(cancellation);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // The operator may repair the folder: the next request tries again.
            _loaded.TryRemove(new KeyValuePair<string, Lazy<Task<LoadedBase>>>(model.Id, entry));
            throw Unloadable(name, damaged.Message);
        }
    }

    private static ApiException Unloadable(string name, string why) => new(new ApiError(
        StatusCodes.Status500InternalServerError,
        $"The model `{name}` cannot be loaded: {why}",
        "model", "model_not_loadable", ApiError.ServerError, ShouldRetry: false));

    private static string Fingerprint(string of) =>
        "fp_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(of)))[..10];
}
