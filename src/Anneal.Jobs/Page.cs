namespace Anneal.Jobs;

/// <summary>A page of a list.</summary>
/// <param name="Items">The items, in the list's order.</param>
/// <param name="HasMore">True when at least one item follows.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, bool HasMore);
