using System.Security.Cryptography;

namespace Anneal.Server.Runs;

/// <summary>Hashes of files on disk.</summary>
internal static class Hashing
{
    /// <summary>SHA-256 of a file's bytes in lower-case hexadecimal.</summary>
    public static async Task<string> Sha256Async(string path, CancellationToken cancellation)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17, useAsync: true);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation));
    }
}
