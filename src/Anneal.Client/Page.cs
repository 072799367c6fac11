namespace Anneal.Client;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
public sealed record Page<T>
{
    /// <summary>The items, in the list's order.</summary>
    public required IReadOnlyList<T> Data { get; init; }

    /// <summary>True when a page follows: ask again after the last item.</summary>
    public bool HasMore { get; init; }
}

/// <summary>The answer to a deletion.</summary>
public sealed record Deletion
{
    /// <summary>What was deleted.</summary>
    public required string Id { get; init; }

    /// <summary>True when it is gone.</summary>
    public required bool Deleted { get; init; }
}
