using System.Runtime.CompilerServices;

namespace Anneal.Engine.Text.Jinja;

/// <summary>Counts what a rendering uses and ends it at a limit.</summary>
internal sealed class Budget(TemplateLimits limits)
{
    private long _steps;
    private int _depth;

    public TemplateLimits Limits { get; } = limits;

    /// <summary>Pays for work.</summary>
    public void Step(long cost = 1)
    {
        _steps += cost;
        if (_steps > Limits.MaxSteps)
        {
            throw Limit($"the template does more than {Limits.MaxSteps} steps of work");
        }
    }

    /// <summary>Checks the size of a text before it is built, and pays for building it.</summary>
    public void Text(long length)
    {
        if (length > Limits.MaxTextLength)
        {
            throw Limit($"the template makes a text of more than {Limits.MaxTextLength} characters");
        }

        Step((length >> 4) + 1);
    }

    /// <summary>Pays for looking through a text.</summary>
    public void Scan(string text) => Step((text.Length >> 6) + 1);

    /// <summary>Checks the size that a text has grown to, and pays for what was added.</summary>
    public void Grow(long length, long added)
    {
        if (length > Limits.MaxTextLength)
        {
            Text(length);
        }

        Step((added >> 4) + 1);
    }

    /// <summary>Checks the size of a collection before it is built, and pays for building it.</summary>
    public void Items(long count)
    {
        if (count > Limits.MaxItems)
        {
            throw Limit($"the template makes a collection of more than {Limits.MaxItems} elements");
        }

        Step(count + 1);
    }

    /// <summary>Goes one level deeper; pair with <see cref="Leave"/>.</summary>
    public void Enter()
    {
        if (++_depth > Limits.MaxDepth)
        {
            throw Limit($"the template nests calls or values more than {Limits.MaxDepth} deep");
        }

        EnsureStack();
    }

    public void Leave() => _depth--;

    /// <summary>Ends a recursion that the call stack of this thread could not hold.</summary>
    public static void EnsureStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Limit("the template nests expressions too deep");
        }
    }

    public static TemplateException Limit(string what) => new(TemplateFault.Limit, $"Limit reached: {what}.");
}
