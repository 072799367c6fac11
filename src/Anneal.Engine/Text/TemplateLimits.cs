namespace Anneal.Engine.Text;

/// <summary>
/// What one rendering may use. A model's template comes from outside and must not be able to stop the process: each limit
/// ends the rendering with a <see cref="TemplateException"/> of kind <see cref="TemplateFault.Limit"/>.
/// </summary>
public sealed record TemplateLimits
{
    /// <summary>Generous for every real conversation, small enough that a hostile template ends within seconds.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>Units of work: an expression or statement costs one, text and lists cost more with their size.</summary>
    public long MaxSteps { get; init; } = 20_000_000;

    /// <summary>UTF-16 units of any one text, the output included.</summary>
    public int MaxTextLength { get; init; } = 64 * 1024 * 1024;

    /// <summary>Elements of any one list, tuple or dictionary.</summary>
    public int MaxItems { get; init; } = 4 * 1024 * 1024;

    /// <summary>Calls of macros and recursive loops inside each other, and nesting of values that are printed or compared.</summary>
    public int MaxDepth { get; init; } = 200;

    /// <summary>Elements of a <c>range</c>; the number is that of Jinja's sandbox.</summary>
    public int MaxRange { get; init; } = 100_000;

    /// <summary>Bits of an integer.</summary>
    public int MaxIntegerBits { get; init; } = 64 * 1024;
}
