namespace Anneal.Engine.Data;

/// <summary>
/// A conversation cannot be turned into training data with this model's chat template: the template refuses it, or does not
/// show where an answer begins or ends. Better no mask than a wrong one.
/// </summary>
public sealed class MaskingException : Exception
{
    /// <summary>Makes the exception; line and message are put into the text.</summary>
    /// <param name="line">Line of the file, from 1; 0 if there is none.</param>
    /// <param name="message">Index of the message, from 0; null if the fault concerns the whole conversation.</param>
    /// <param name="what">What is wrong.</param>
    /// <param name="inner">The cause.</param>
    public MaskingException(int line, int? message, string what, Exception? inner = null)
        : base($"Example {line}{(message is int m ? $", message {m + 1}" : "")}: {what}", inner)
    {
        Line = line;
        MessageIndex = message;
    }

    /// <summary>Line of the file, from 1.</summary>
    public int Line { get; }

    /// <summary>Index of the message, from 0; null if the fault concerns the whole conversation.</summary>
    public int? MessageIndex { get; }
}
