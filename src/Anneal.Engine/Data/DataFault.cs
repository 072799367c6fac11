namespace Anneal.Engine.Data;

/// <summary>Something wrong with a file of training data.</summary>
/// <param name="Line">Line of the file, from 1; 0 if the fault concerns the whole file.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) to the place within the line; empty for the line itself.</param>
/// <param name="Code">A stable name of the kind of fault, one of <see cref="DataFaultCodes"/>.</param>
/// <param name="Message">What is wrong and what would be right, for people.</param>
public sealed record DataFault(int Line, string Pointer, string Code, string Message);

/// <summary>The kinds of fault in training data. Programs may rely on the names.</summary>
public static class DataFaultCodes
{
    /// <summary>The file holds nothing.</summary>
    public const string EmptyFile = "empty_file";

    /// <summary>A line holds nothing.</summary>
    public const string BlankLine = "blank_line";

    /// <summary>A line is longer than any example can be.</summary>
    public const string LineTooLong = "line_too_long";

    /// <summary>Bytes that are no UTF-8.</summary>
    public const string InvalidUtf8 = "invalid_utf8";

    /// <summary>A line that is no JSON.</summary>
    public const string InvalidJson = "invalid_json";

    /// <summary>JSON that is no object.</summary>
    public const string NotAnObject = "not_an_object";

    /// <summary>A key that occurs twice in an object.</summary>
    public const string DuplicateKey = "duplicate_key";

    /// <summary>A key that the format does not have.</summary>
    public const string UnknownKey = "unknown_key";

    /// <summary>A key that must be there and is not.</summary>
    public const string MissingKey = "missing_key";

    /// <summary>A value of the wrong JSON type.</summary>
    public const string InvalidType = "invalid_type";

    /// <summary>A value of the right type that is not allowed.</summary>
    public const string InvalidValue = "invalid_value";

    /// <summary>A list without elements where one is needed.</summary>
    public const string EmptyList = "empty_list";

    /// <summary>An assistant message that says nothing and calls nothing.</summary>
    public const string MissingContent = "missing_content";

    /// <summary>A weight that is neither 0 nor 1, or on a message that is never trained.</summary>
    public const string InvalidWeight = "invalid_weight";

    /// <summary>A conversation without an assistant message: nothing to learn from.</summary>
    public const string NoAssistantMessage = "no_assistant_message";

    /// <summary>Content that is no text, such as an image.</summary>
    public const string UnsupportedContent = "unsupported_content";

    /// <summary>A line of another method's format.</summary>
    public const string UnsupportedFormat = "unsupported_format";

    /// <summary>Fewer examples than a job needs.</summary>
    public const string TooFewExamples = "invalid_n_examples";

    /// <summary>So many faults that reading stopped.</summary>
    public const string TooManyFaults = "too_many_faults";

    /// <summary>A conversation that the model's chat template cannot turn into training data.</summary>
    public const string TemplateRefused = "template_refused";
}
