using System.Collections.Frozen;
using Anneal.Engine.Architectures;

namespace Anneal.Server.Models;

/// <summary>
/// The base models: the bundled one and those of the folders that the operator named, found once at the start. A folder whose
/// model this version cannot run is kept aside with the reason, so that whoever asks for it is told.
/// </summary>
public sealed class ModelFolders
{
    /// <summary>The id of the model that comes with the program.</summary>
    public const string BundledId = "anneal-nano";

    private const string ConfigFile = "config.json";

    private readonly FrozenDictionary<string, BaseModelFolder> _usable;
    private readonly FrozenDictionary<string, string> _unusable;

    private ModelFolders(Dictionary<string, BaseModelFolder> usable, Dictionary<string, string> unusable)
    {
        _usable = usable.ToFrozenDictionary(StringComparer.Ordinal);
        _unusable = unusable.ToFrozenDictionary(StringComparer.Ordinal);
        All = [.. usable.Values.OrderByDescending(model => model.Created).ThenBy(model => model.Id, StringComparer.Ordinal)];
    }

    /// <summary>Every usable base model, newest first.</summary>
    public IReadOnlyList<BaseModelFolder> All { get; }

    /// <summary>The usable base model with this id, or null.</summary>
    public BaseModelFolder? Find(string id) => _usable.GetValueOrDefault(id);

    /// <summary>Why a folder of this name cannot be used; null when there is no such folder or nothing is wrong with it.</summary>
    public string? WhyUnusable(string id) => _unusable.GetValueOrDefault(id);

    /// <summary>Looks at every folder.</summary>
    /// <param name="folders">Model folders, or folders of model folders.</param>
    /// <param name="bundled">True adds the bundled model.</param>
    /// <exception cref="DirectoryNotFoundException">A named folder does not exist.</exception>
    /// <exception cref="InvalidDataException">A named folder holds no model, or two models have one id.</exception>
    internal static ModelFolders Open(IReadOnlyList<string> folders, bool bundled)
    {
        Dictionary<string, BaseModelFolder> usable = new(StringComparer.Ordinal);
        Dictionary<string, string> unusable = new(StringComparer.Ordinal);
        if (bundled && FindBundled() is string bundledFolder)
        {
            Add(bundledFolder, usable, unusable);
        }
        foreach (string folder in folders)
        {
            foreach (string model in ModelsIn(Path.GetFullPath(folder)))
            {
                Add(model, usable, unusable);
            }
        }
        return new ModelFolders(usable, unusable);
    }

    /// <summary>
    /// The bundled model's folder: <c>models/anneal-nano</c> beside the program or in a folder above it, where the repository
    /// keeps it. Null when the program was installed without it.
    /// </summary>
    public static string? FindBundled()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "models", BundledId);
            if (File.Exists(Path.Combine(folder, ConfigFile)))
            {
                return folder;
            }
        }
        return null;
    }

    private static string[] ModelsIn(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The model folder {folder} does not exist.");
        }
        if (File.Exists(Path.Combine(folder, ConfigFile)))
        {
            return [folder];
        }
        string[] models =
        [
            .. Directory.EnumerateDirectories(folder)
                .Where(inner => File.Exists(Path.Combine(inner, ConfigFile)))
                .Order(StringComparer.Ordinal),
        ];
        return models.Length > 0
            ? models
            : throw new InvalidDataException(
                $"The model folder {folder} holds no {ConfigFile}, and neither does any folder in it. "
                + "Name a folder in Hugging Face layout.");
    }

    private static void Add(string folder, Dictionary<string, BaseModelFolder> usable, Dictionary<string, string> unusable)
    {
        string id = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        if (id.Contains(':', StringComparison.Ordinal))
        {
            throw new InvalidDataException($"The model folder {folder} has a colon in its name, which is its public id. Rename it.");
        }
        if (usable.TryGetValue(id, out BaseModelFolder? other) && other.Folder != folder)
        {
            throw new InvalidDataException(
                $"The model folders {other.Folder} and {folder} have the same name, which is their public id. Rename one.");
        }
        string config = Path.Combine(folder, ConfigFile);
        try
        {
            ArchitectureCatalog.Load(folder);
        }
        catch (InvalidDataException unsupported)
        {
            unusable[id] = unsupported.Message;
            return;
        }
        usable[id] = new BaseModelFolder(id, folder, new DateTimeOffset(File.GetLastWriteTimeUtc(config), TimeSpan.Zero));
    }
}
