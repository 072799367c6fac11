using Anneal.Engine.Text.Tokenization;

namespace Anneal.Engine.Text;

/// <summary>
/// Gives the text of tokens as they come, without ever showing half a character. What it gives, joined, is what
/// <see cref="Tokenizer.Decode"/> gives for all ids (except after a run of byte tokens that turns out not to be UTF-8 when part
/// of it has been shown). Made by <see cref="Tokenizer.CreateStreamingDecoder"/>; for one thread at a time.
/// </summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly DecodeStep[] _steps;
    private readonly bool _skipSpecialTokens;

    internal StreamingDecoder(Tokenizer tokenizer, DecodeStep[] steps, bool skipSpecialTokens)
    {
        _tokenizer = tokenizer;
        _steps = steps;
        _skipSpecialTokens = skipSpecialTokens;
    }

    /// <summary>Takes the next id.</summary>
    /// <returns>The text that is certain now; "" while a character is unfinished, for a skipped token and for an unknown id.</returns>
    public string Push(int id) => _tokenizer.TextForDecoding(id, _skipSpecialTokens) is { } piece ? Run([piece], 0) : "";

    /// <summary>There are no more ids.</summary>
    /// <returns>What was held back, with U+FFFD for what stays unfinished.</returns>
    public string Flush()
    {
        string text = "";
        for (int i = 0; i < _steps.Length; i++)
        {
            List<string> held = [];
            _steps[i].Flush(held);
            text += Run(held, i + 1);
        }

        return text;
    }

    private string Run(List<string> pieces, int from)
    {
        for (int i = from; i < _steps.Length; i++)
        {
            List<string> output = [];
            foreach (string piece in pieces)
            {
                _steps[i].Push(piece, output);
            }

            pieces = output;
        }

        return string.Concat(pieces);
    }
}
