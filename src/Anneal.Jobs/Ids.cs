using System.Security.Cryptography;
using System.Text;

namespace Anneal.Jobs;

/// <summary>
/// Makes the ids of everything stored. 24 letters and digits from the system's secure generator (142 bits), so ids
/// cannot be guessed and never collide.
/// </summary>
public static class Ids
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary><c>ftjob-…</c></summary>
    public static string Job() => "ftjob-" + Random(24);

    /// <summary><c>ftevent-…</c></summary>
    public static string Event() => "ftevent-" + Random(24);

    /// <summary><c>ftckpt_…</c></summary>
    public static string Checkpoint() => "ftckpt_" + Random(24);

    /// <summary><c>file-…</c></summary>
    public static string File() => "file-" + Random(24);

    /// <summary><c>run-…</c></summary>
    public static string Run() => "run-" + Random(24);

    /// <summary><c>key_…</c></summary>
    public static string Key() => "key_" + Random(24);

    /// <summary><c>org-…</c></summary>
    public static string Organization() => "org-" + Random(24);

    /// <summary>A secret: <paramref name="prefix"/> and 48 letters and digits (285 bits).</summary>
    public static string Secret(string prefix) => prefix + Random(48);

    /// <summary>
    /// The name of a tuned model, <c>ft:{base}:{organization}:{suffix}:{id8}</c>; without a suffix its segment is empty.
    /// Names stand in URLs and are split at colons, so in the suffix whatever is not a letter, digit, dot, dash or underscore
    /// becomes a dash.
    /// </summary>
    public static string ModelName(string baseModel, string organization, string? suffix)
    {
        string? segment = suffix is null
            ? null
            : string.Concat(suffix.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
        return $"ft:{baseModel}:{organization}:{segment}:{Random(8)}";
    }

    /// <summary>The name of a checkpoint's model: the same shape with an id of its own and <c>:ckpt-step-{step}</c>.</summary>
    /// <param name="modelName">The job's <see cref="Job.ReservedModelName"/>.</param>
    /// <param name="step">The checkpoint's step.</param>
    public static string CheckpointModelName(string modelName, int step) =>
        $"{modelName[..(modelName.LastIndexOf(':') + 1)]}{Random(8)}:ckpt-step-{step}";

    /// <summary>SHA-256 of a secret's UTF-8 bytes in lower-case hexadecimal: what the database keeps of it.</summary>
    public static string HashSecret(string secret) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static string Random(int length) => RandomNumberGenerator.GetString(Alphabet, length);
}
