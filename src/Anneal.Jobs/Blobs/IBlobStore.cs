namespace Anneal.Jobs.Blobs;

/// <summary>
/// Named byte sequences that are whole or absent, and never change. A key is a relative path of segments from
/// <c>[A-Za-z0-9._-]</c> with slashes between, for example <c>files/file-abc</c>; whoever writes puts a fresh id into it.
/// </summary>
public interface IBlobStore
{
    /// <summary>
    /// Stores everything that <paramref name="content"/> yields. When the task completes the bytes are on disk; when it fails
    /// or the process dies there is no blob.
    /// </summary>
    /// <param name="key">A key that has never been used.</param>
    /// <param name="content">Read to its end.</param>
    /// <param name="bytesMax">Refuses more than this.</param>
    /// <param name="cancellation">Gives up and leaves nothing.</param>
    /// <exception cref="BlobTooLargeException">There was more than <paramref name="bytesMax"/>.</exception>
    /// <exception cref="BlobStorageException">The store is full or broken; what it held is unharmed.</exception>
    Task<BlobInfo> WriteAsync(string key, Stream content, long bytesMax, CancellationToken cancellation);

    /// <summary>Opens a blob for reading from its start; the stream can seek. Null when there is none.</summary>
    Stream? OpenRead(string key);

    /// <summary>True when the blob is there and its bytes have this length and SHA-256.</summary>
    Task<bool> VerifyAsync(string key, long bytes, string sha256, CancellationToken cancellation);

    /// <summary>The blob's file on this machine, for readers that map files into memory; null when it is not a local file.</summary>
    string? LocalPath(string key);

    /// <summary>Deletes a blob. False when there was none. Readers that have it open go on reading.</summary>
    bool Delete(string key);

    /// <summary>Keys of blobs last written before <paramref name="before"/>; unfinished writes of that age are removed on the way.</summary>
    IEnumerable<string> ListOlderThan(DateTimeOffset before);
}

/// <summary>What was stored.</summary>
/// <param name="Key">The key.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">SHA-256 in lower-case hexadecimal.</param>
public sealed record BlobInfo(string Key, long Bytes, string Sha256);

/// <summary>A blob exceeded the limit it was written under.</summary>
public sealed class BlobTooLargeException(long bytesMax)
    : IOException($"The content is larger than the {bytesMax} bytes allowed.")
{
    /// <summary>The limit.</summary>
    public long BytesMax { get; } = bytesMax;
}

/// <summary>The blob store cannot store: full, read-only or broken.</summary>
public sealed class BlobStorageException(string message, Exception inner) : IOException(message, inner);
