using Anneal.Engine.Text;

namespace Anneal.Engine.Data;

/// <summary>
/// Conversations as token ids with a weight for each token. What the assistant says is trained, from the end of the
/// generation prompt through the token that ends the turn, times the message's weight; everything else has weight 0.
/// </summary>
public static class Masking
{
    /// <summary>
    /// The time that templates see unless another is given. Training data has no "now": a fixed one keeps a run the same
    /// whenever it is begun, resumed or repeated.
    /// </summary>
    public static DateTimeOffset DefaultNow { get; } = new(2025, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Renders a conversation with a model's template and marks what is trained.</summary>
    /// <param name="example">The conversation.</param>
    /// <param name="text">The model's tokenizer, templates and special tokens.</param>
    /// <param name="maxLength">Tokens that are kept; the rest is cut off at the end.</param>
    /// <param name="rendered">The whole text, also of what was cut off.</param>
    /// <param name="now">The time that templates see; <see cref="DefaultNow"/> if null.</param>
    /// <exception cref="MaskingException">The template refuses the conversation or does not show where an answer is.</exception>
    /// <exception cref="InvalidDataException">The model has no chat template.</exception>
    public static TokenizedExample Tokenize(
        ChatExample example, ModelText text, int maxLength, out string rendered, DateTimeOffset? now = null)
    {
        ArgumentNullException.ThrowIfNull(example);
        ArgumentNullException.ThrowIfNull(text);
        ChatTemplate template = text.TemplateFor(example.Tools is not null);
        return Tokenize(example, text.Tokenizer, template, text.SpecialTokens, maxLength, out rendered, now);
    }

    /// <summary>The same with the parts of a model's text given one by one.</summary>
    /// <exception cref="MaskingException">The template refuses the conversation or does not show where an answer is.</exception>
    public static TokenizedExample Tokenize(
        ChatExample example, Tokenizer tokenizer, ChatTemplate template, SpecialTokens special, int maxLength, out string rendered,
        DateTimeOffset? now = null)
    {
        ArgumentNullException.ThrowIfNull(example);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(special);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        TurnSpans spans = new(example.Line, template, tokenizer, special, now ?? DefaultNow);
        spans.Open(ChatMessages.ForTemplate(example.Messages, template), example.Tools);
        rendered = spans.Text;
        float[] weights = new float[spans.Encoding.Ids.Length];
        for (int i = 0; i < example.Messages.Count; i++)
        {
            float weight = example.WeightOf(i);
            if (weight != 0)
            {
                Mark(weights, spans.Encoding, spans.Find(i), weight);
            }
        }

        int kept = Math.Min(maxLength, weights.Length);
        return new TokenizedExample(example.Line, spans.Encoding.Ids[..kept], weights[..kept], weights.Length);
    }

    // A token is trained if all of it lies in the span.
    private static void Mark(float[] weights, Encoding encoding, (int Start, int End) span, float weight)
    {
        for (int t = 0; t < weights.Length; t++)
        {
            int start = encoding.Starts[t];
            int end = encoding.Ends[t];
            if (start >= span.Start && end <= span.End && end > start)
            {
                weights[t] = Math.Max(weights[t], weight);
            }
        }
    }
}
