using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Anneal.Jobs.Blobs;

/// <summary>
/// Blobs as files of one folder: <c>blobs/{key}</c>, and <c>tmp/</c> for writes in progress. A write goes to a temporary file
/// with a running hash, is forced to disk, then renamed, and the folder's entry is forced to disk too; so a crash or a power
/// cut leaves a whole blob or none.
/// </summary>
public sealed class LocalBlobs : IBlobStore
{
    private const int CopyBytes = 1 << 17;
    private readonly string _blobs;
    private readonly string _temporary;

    /// <summary>Uses <paramref name="folder"/>, which is made when it is not there.</summary>
    public LocalBlobs(string folder)
    {
        _blobs = Path.Combine(Path.GetFullPath(folder), "blobs");
        _temporary = Path.Combine(Path.GetFullPath(folder), "tmp");
        Directory.CreateDirectory(_blobs);
        Directory.CreateDirectory(_temporary);
    }

    /// <inheritdoc/>
    public async Task<BlobInfo> WriteAsync(
        string key, Stream content, long bytesMax, CancellationToken cancellation)
    {
        string target = PathOf(key);
        string temporary = Path.Combine(_temporary, Ids.Secret("write-"));
        try
        {
            (long bytes, string sha256) = await WriteTemporaryAsync(temporary, content, bytesMax, cancellation)
                .ConfigureAwait(false);
            Storing(() => Publish(temporary, target));
            return new BlobInfo(key, bytes, sha256);
        }
        catch
        {
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public Stream? OpenRead(string key)
    {
        try
        {
            return new FileStream(PathOf(key), new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.ReadWrite | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> VerifyAsync(string key, long bytes, string sha256, CancellationToken cancellation)
    {
        using Stream? stream = OpenRead(key);
        return stream is not null
            && stream.Length == bytes
            && Convert.ToHexStringLower(
                await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false)) == sha256;
    }

    /// <inheritdoc/>
    public string? LocalPath(string key)
    {
        string path = PathOf(key);
        return File.Exists(path) ? path : null;
    }

    /// <inheritdoc/>
    public bool Delete(string key)
    {
        string path = PathOf(key);
        if (!File.Exists(path))
        {
            return false;
        }

        File.Delete(path);
        RemoveEmptyFolder(Path.GetDirectoryName(path)!);
        return true;
    }

    /// <inheritdoc/>
    public IEnumerable<string> ListOlderThan(DateTimeOffset before)
    {
        foreach (string path in Directory.EnumerateFiles(_temporary))
        {
            if (File.GetLastWriteTimeUtc(path) < before.UtcDateTime)
            {
                File.Delete(path);
            }
        }

        foreach (string path in Directory.EnumerateFiles(_blobs, "*", SearchOption.AllDirectories))
        {
            if (File.GetLastWriteTimeUtc(path) < before.UtcDateTime)
            {
                yield return Path.GetRelativePath(_blobs, path).Replace(Path.DirectorySeparatorChar, '/');
            }
        }
    }

    private async Task<(long Bytes, string Sha256)> WriteTemporaryAsync(
        string temporary, Stream content, long bytesMax, CancellationToken cancellation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using SafeFileHandle file = Storing(() => File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            long bytes = 0;
            int read;
            // Reading and writing are told apart: a sender that hangs up is not a broken disk.
            while ((read = await content.ReadAsync(buffer.AsMemory(0, CopyBytes), cancellation).ConfigureAwait(false)) > 0)
            {
                if (bytes + read > bytesMax)
                {
                    throw new BlobTooLargeException(bytesMax);
                }

                hash.AppendData(buffer, 0, read);
                long offset = bytes;
                Storing(() => RandomAccess.Write(file, buffer.AsSpan(0, read), offset));
                bytes += read;
            }

            Storing(() => RandomAccess.FlushToDisk(file));
            return (bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Publish(string temporary, string target)
    {
        string folder = Path.GetDirectoryName(target)!;
        for (int attempt = 0; ; attempt++)
        {
            Directory.CreateDirectory(folder);
            try
            {
                File.Move(temporary, target, overwrite: false);
                break;
            }
            catch (DirectoryNotFoundException) when (attempt < 3)
            {
                // The folder was empty and a deletion removed it between the two calls.
            }
        }

        for (string? level = folder; level is not null && level.Length >= _blobs.Length; level = Path.GetDirectoryName(level))
        {
            FlushFolder(level);
        }
    }

    /// <summary>Removes a folder below the first level once its last blob is gone.</summary>
    private void RemoveEmptyFolder(string folder)
    {
        if (folder.Length <= _blobs.Length || Path.GetDirectoryName(folder) == _blobs)
        {
            return;
        }

        try
        {
            Directory.Delete(folder, recursive: false);
        }
        catch (IOException)
        {
            // Not empty, or just removed by someone else.
        }
    }

    private string PathOf(string key)
    {
        foreach (string segment in key.Split('/'))
        {
            bool good = segment.Length > 0 && segment[0] != '.'
                && segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
            if (!good)
            {
                throw new ArgumentException($"'{key}' is not a blob key.", nameof(key));
            }
        }

        return Path.Combine(_blobs, key.Replace('/', Path.DirectorySeparatorChar));
    }

    private void Storing(Action write) => Storing(() =>
    {
        write();
        return true;
    });

    private T Storing<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(_blobs, e);
        }
    }

    /// <summary>The error in words of someone who can do something about it.</summary>
    internal static BlobStorageException Explain(string folder, Exception e)
    {
        // ENOSPC and EDQUOT on Unix; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.
        bool full = (e.HResult & 0xFFFF) is 28 or 122 or 112 or 39;
        return new BlobStorageException(
            full
                ? $"The disk that holds {folder} is full; free some space and try again."
                : $"Cannot store into {folder}: {e.Message}",
            e);
    }

    private static void FlushFolder(string folder)
    {
        // Windows journals its folders and has no such call.
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using SafeFileHandle handle = NativeOpen(Encoding.UTF8.GetBytes(folder + '\0'), 0);
        if (handle.IsInvalid)
        {
            throw new IOException($"Cannot open the folder {folder} (error {Marshal.GetLastPInvokeError()}).");
        }

        RandomAccess.FlushToDisk(handle);
    }

    // The base library opens no folders. Declared without its variadic third parameter, which reading does not use.
#pragma warning disable SYSLIB1054 // The generated form needs unsafe code, which this project does without.
    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern SafeFileHandle NativeOpen(byte[] path, int flags);
#pragma warning restore SYSLIB1054
}
