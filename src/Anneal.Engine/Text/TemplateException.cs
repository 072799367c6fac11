namespace Anneal.Engine.Text;

/// <summary>What kind of fault a chat template met.</summary>
public enum TemplateFault
{
    /// <summary>The template itself refused the conversation: it called <c>raise_exception</c>.</summary>
    Raised,

    /// <summary>Something was done with a value that is not there.</summary>
    Undefined,

    /// <summary>An operation does not exist for these types, or a call has the wrong arguments.</summary>
    Type,

    /// <summary>The type is right and the value is not.</summary>
    Value,

    /// <summary>A division by zero.</summary>
    ZeroDivision,

    /// <summary>A number is too large for its kind.</summary>
    Overflow,

    /// <summary>The sandbox forbids it: an attribute of the interpreter, or a method that changes data.</summary>
    Security,

    /// <summary>A filter or test of an unknown name, an assignment to something that takes none, and the like.</summary>
    Runtime,

    /// <summary>One of <see cref="TemplateLimits"/> was reached.</summary>
    Limit,

    /// <summary>A part of the template language that this engine does not have; the message names it.</summary>
    Unsupported,
}

/// <summary>A chat template could not be rendered for these messages. Nothing has been rendered.</summary>
public sealed class TemplateException : Exception
{
    /// <summary>Makes the exception.</summary>
    public TemplateException(TemplateFault fault, string message)
        : base(message)
    {
        Fault = fault;
    }

    /// <summary>The kind of fault.</summary>
    public TemplateFault Fault { get; }

    /// <summary>Line of the template, from 1, on which the statement begins; 0 when unknown.</summary>
    public int TemplateLine { get; internal set; }
}

/// <summary>A chat template is not valid.</summary>
public sealed class TemplateSyntaxException : FormatException
{
    /// <summary>Makes the exception; the line is put into the message.</summary>
    public TemplateSyntaxException(string message, int line, bool isAssertion = false)
        : base($"{message} (line {line} of the chat template)")
    {
        Line = line;
        IsAssertion = isAssertion;
    }

    /// <summary>Line of the template, from 1.</summary>
    public int Line { get; }

    /// <summary>
    /// Whether the syntax is right but what it names is not: an unknown filter or test, a forbidden target.
    /// Jinja calls this a TemplateAssertionError.
    /// </summary>
    public bool IsAssertion { get; }
}
