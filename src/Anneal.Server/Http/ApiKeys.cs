using System.Security.Cryptography;
using System.Text;
using Anneal.Jobs;

namespace Anneal.Server.Http;

/// <summary>
/// The API keys of this installation. A key is shown once, when it is made; the database keeps its SHA-256 only. The first key
/// is made at the first start and also written to <see cref="FirstKeyPath"/>, readable by the owner alone.
/// </summary>
public sealed class ApiKeys
{
    private const string Prefix = "sk-anneal-";

    private readonly JobStore _store;
    private readonly TimeProvider _time;

    /// <summary>Keys in a store.</summary>
    /// <param name="store">Where they are kept.</param>
    /// <param name="options">Tells the data folder and the clock.</param>
    public ApiKeys(JobStore store, ServerOptions options)
    {
        _store = store;
        _time = options.Time;
        FirstKeyPath = Path.Combine(options.DataFolder, "api-key");
    }

    /// <summary>The file that holds the first key, mode 0600. The operator may delete it; the key goes on working.</summary>
    public string FirstKeyPath { get; }

    /// <summary>The key that this start has made; null when the installation had one before. Print it: it is not shown again.</summary>
    public string? CreatedKey { get; private set; }

    /// <summary>
    /// Makes the first key unless there is one. File first, database second: a crash in between leaves a file whose key the
    /// next start takes over, never a key that nobody was told.
    /// </summary>
    internal async Task EnsureFirstKeyAsync(CancellationToken cancellation)
    {
        if ((await _store.ListKeysAsync(cancellation)).Count > 0)
        {
            return;
        }
        string? key = File.Exists(FirstKeyPath) ? (await File.ReadAllTextAsync(FirstKeyPath, cancellation)).Trim() : null;
        if (key is null || !key.StartsWith(Prefix, StringComparison.Ordinal) || key.Length < Prefix.Length + 32)
        {
            key = Ids.Secret(Prefix);
            WritePrivateFile(FirstKeyPath, key + "\n");
        }
        await AddAsync(key, "first key", cancellation);
        CreatedKey = key;
    }

    /// <summary>Makes a key. The returned secret is not kept anywhere.</summary>
    /// <param name="name">What the user calls it.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<(ApiKey Key, string Secret)> CreateAsync(string name, CancellationToken cancellation)
    {
        string secret = Ids.Secret(Prefix);
        return (await AddAsync(secret, name, cancellation), secret);
    }

    /// <summary>The working key that a request shows, or null.</summary>
    internal async Task<ApiKey?> FindAsync(string secret, CancellationToken cancellation)
    {
        string hash = Ids.HashSecret(secret);
        ApiKey? key = await _store.FindKeyAsync(hash, cancellation);
        // The database compares hashes with an ordinary comparison. That leaks at most bits of a hash of a random secret, which
        // is of no use; this comparison takes the same time for every input all the same.
        bool same = key is not null && CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(key.Hash), Encoding.ASCII.GetBytes(hash));
        return same ? key : null;
    }

    private async Task<ApiKey> AddAsync(string secret, string name, CancellationToken cancellation)
    {
        ApiKey key = new()
        {
            Id = Ids.Key(),
            Name = name,
            Hash = Ids.HashSecret(secret),
            Tail = secret[^4..],
            CreatedAt = _time.GetUtcNow(),
        };
        await _store.AddKeyAsync(key, cancellation);
        return key;
    }

    /// <summary>Writes a file that only its owner can read, whole or not at all.</summary>
    private static void WritePrivateFile(string path, string text)
    {
        string temporary = path + ".new";
        FileStreamOptions options = new()
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        File.Delete(temporary);
        using (FileStream stream = new(temporary, options))
        {
            stream.Write(Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
