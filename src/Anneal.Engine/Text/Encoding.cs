namespace Anneal.Engine.Text;

/// <summary>A text as tokens, with the place of each in the text.</summary>
/// <param name="Ids">The tokens' ids.</param>
/// <param name="Starts">
/// For each token the first UTF-16 unit of the original text that it stands for. Special tokens that are not from the text
/// (those around it) stand for nothing: start and end are 0.
/// </param>
/// <param name="Ends">
/// For each token the unit after the last. A token stands for all that went into it, the white space in front included, so the
/// tokens of a text cover it without gaps, except what the normalizer or the pre-tokenizer drops. Tokens that share a
/// character, such as the bytes of an emoji, all have its span.
/// </param>
public sealed record Encoding(int[] Ids, int[] Starts, int[] Ends);
