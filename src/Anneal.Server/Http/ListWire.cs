namespace Anneal.Server.Http;

/// <summary>A page whose schema has <c>first_id</c> and <c>last_id</c>; both null when it is empty.</summary>
internal sealed record ListWire<T>(string Object, IReadOnlyList<T> Data, string? FirstId, string? LastId, bool HasMore)
{
    /// <summary>The page of these items.</summary>
    public static ListWire<T> Of(IReadOnlyList<T> items, Func<T, string> id, bool hasMore) => new(
        "list", items, items.Count == 0 ? null : id(items[0]), items.Count == 0 ? null : id(items[^1]), hasMore);
}

/// <summary>A page whose schema has no ids of its own.</summary>
internal sealed record PlainListWire<T>(string Object, IReadOnlyList<T> Data, bool HasMore)
{
    /// <summary>The page of these items.</summary>
    public static PlainListWire<T> Of(IReadOnlyList<T> items, bool hasMore) => new("list", items, hasMore);
}

/// <summary>The answer to a deletion.</summary>
internal sealed record DeletionWire(string Id, string Object, bool Deleted);
