namespace Anneal.Engine.Text.Jinja;

/// <summary>Short names for the exceptions that values and operations throw.</summary>
internal static class Faults
{
    public static TemplateException Type(string message) => new(TemplateFault.Type, message);

    public static TemplateException Value(string message) => new(TemplateFault.Value, message);

    public static TemplateException Runtime(string message) => new(TemplateFault.Runtime, message);

    public static TemplateException Security(string message) => new(TemplateFault.Security, message);

    public static TemplateException Overflow(string message) => new(TemplateFault.Overflow, message);

    public static TemplateException ZeroDivision(string message) => new(TemplateFault.ZeroDivision, message);

    public static TemplateException Unsupported(string what) =>
        new(TemplateFault.Unsupported, $"Chat templates here do not support {what}.");

    public static TemplateException NotIterable(object? value) => Type($"'{Values.TypeName(value)}' object is not iterable");
}
