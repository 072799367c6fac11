namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// One step on the way from tokens back to text, fed one piece at a time. A step is made anew for each text, because it
/// remembers what it has seen.
/// </summary>
internal abstract class DecodeStep
{
    /// <summary>Takes the next piece and adds to <paramref name="output"/> what is certain by now.</summary>
    public abstract void Push(string piece, List<string> output);

    /// <summary>There are no more pieces: adds what was held back.</summary>
    public virtual void Flush(List<string> output)
    {
    }
}
