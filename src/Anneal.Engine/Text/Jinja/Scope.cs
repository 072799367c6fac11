namespace Anneal.Engine.Text.Jinja;

/// <summary>Variables of one level: a template, a loop round, a macro call, a block. Inner levels see outer ones.</summary>
internal sealed class Scope
{
    private readonly Dictionary<string, object?> _variables = new(StringComparer.Ordinal);
    private readonly Scope? _parent;

    /// <summary>A level inside another one; null for the template's own.</summary>
    public Scope(Scope? parent)
    {
        _parent = parent;
        Root = parent?.Root ?? this;
    }

    /// <summary>The template's own level.</summary>
    public Scope Root { get; }

    public void Set(string name, object? value) => _variables[name] = value;

    /// <summary>Whether this level itself has the variable.</summary>
    public bool Has(string name) => _variables.ContainsKey(name);

    public bool TryGet(string name, out object? value)
    {
        for (Scope? scope = this; scope is not null; scope = scope._parent)
        {
            if (scope._variables.TryGetValue(name, out value))
            {
                return true;
            }
        }

        value = null;
        return false;
    }
}
