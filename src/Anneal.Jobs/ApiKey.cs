namespace Anneal.Jobs;

/// <summary>An API key as it is stored: never the key itself, only its hash.</summary>
public sealed record ApiKey
{
    /// <summary><c>key_</c> and 24 letters and digits.</summary>
    public required string Id { get; init; }

    /// <summary>What the user called it.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the key in lower-case hexadecimal. Keys are long and random, so no slow hash is needed.</summary>
    public required string Hash { get; init; }

    /// <summary>The key's last four characters, to tell keys apart in a list.</summary>
    public required string Tail { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it stopped working; null while it works.</summary>
    public DateTimeOffset? RevokedAt { get; init; }
}
