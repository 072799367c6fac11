namespace Anneal.Engine.Text.Jinja;

/// <summary>A macro as written: its parameters, the last of which may have defaults, and its body.</summary>
internal sealed class MacroDefinition
{
    public MacroDefinition(string? name, IReadOnlyList<Name> parameters, IReadOnlyList<Expression> defaults, IReadOnlyList<Statement> body, int line)
    {
        (Name, Parameters, Defaults, Body, Line) = (name, parameters, defaults, body, line);
        HasCallerParameter = parameters.Any(p => p.Id == "caller");
        UsesCaller = Reads("caller");
        TakesMoreNamed = Reads("kwargs") && parameters.All(p => p.Id != "kwargs");
        TakesMore = Reads("varargs") && parameters.All(p => p.Id != "varargs");
    }

    /// <summary>Null for the body of a call block.</summary>
    public string? Name { get; }

    public IReadOnlyList<Name> Parameters { get; }

    public IReadOnlyList<Expression> Defaults { get; }

    public IReadOnlyList<Statement> Body { get; }

    public int Line { get; }

    public bool HasCallerParameter { get; }

    /// <summary>Whether the body reads <c>caller</c>, so that the macro accepts one.</summary>
    public bool UsesCaller { get; }

    /// <summary>Whether the body reads <c>kwargs</c>, so that every name is accepted.</summary>
    public bool TakesMoreNamed { get; }

    /// <summary>Whether the body reads <c>varargs</c>, so that any number of values is accepted.</summary>
    public bool TakesMore { get; }

    public IEnumerable<Node?> Children => [.. Parameters, .. Defaults, .. Body];

    /// <summary>The default of a parameter, or null.</summary>
    public Expression? DefaultOf(int parameter)
    {
        int i = parameter - (Parameters.Count - Defaults.Count);
        return i >= 0 ? Defaults[i] : null;
    }

    // Whether a name is read before anything in the body gives it a value.
    private bool Reads(string name) => Body.Select(s => FirstUse(s, name)).FirstOrDefault(use => use is not null) ?? false;

    private static bool? FirstUse(Node? node, string name)
    {
        Budget.EnsureStack();
        if (node is null)
        {
            return null;
        }

        return node is Name use && use.Id == name
            ? !use.IsTarget
            : node.Children.Select(c => FirstUse(c, name)).FirstOrDefault(use => use is not null);
    }
}

/// <summary>A macro together with the variables that it sees.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope scope, bool autoEscape) : IValue, ICallable
{
    public string TypeName => "Macro";

    public string? Name => definition.Name;

    public MacroDefinition Definition => definition;

    public object? Call(Renderer renderer, Arguments arguments)
    {
        DictValue named = arguments.Named?.Copy() ?? new DictValue();
        Scope inner = new(scope);
        Bind(renderer, inner, arguments.Positional, named);

        // What is escaped inside depends on where the macro was written, what comes out on where it is called.
        bool outside = renderer.AutoEscape;
        renderer.AutoEscape = autoEscape;
        renderer.Budget.Enter();
        try
        {
            BindDefaults(renderer, inner);
            string text = renderer.CaptureText(() => Statement.RunAll(definition.Body, renderer, inner)).ToString();
            return outside ? new Markup(text) : text;
        }
        finally
        {
            renderer.AutoEscape = outside;
            renderer.Budget.Leave();
        }
    }

    private void Bind(Renderer renderer, Scope inner, object?[] positional, DictValue named)
    {
        int count = definition.Parameters.Count;
        bool callerGiven = definition.HasCallerParameter && positional.Length >= count;
        for (int i = 0; i < count; i++)
        {
            string name = definition.Parameters[i].Id;
            if (i < positional.Length)
            {
                inner.Set(name, positional[i]);
            }
            else
            {
                callerGiven |= name == "caller";
                if (named.TryGet(name, out object? value))
                {
                    inner.Set(name, value);
                    named.Remove(name);
                }
            }
        }

        if (definition.UsesCaller && !callerGiven && !definition.HasCallerParameter)
        {
            bool given = named.TryGet("caller", out object? caller) && caller is not null;
            named.Remove("caller");
            inner.Set("caller", given ? caller : Undefined.Because("No caller defined"));
        }

        BindRest(renderer, inner, positional, named);
    }

    private void BindRest(Renderer renderer, Scope inner, object?[] positional, DictValue named)
    {
        int count = definition.Parameters.Count;
        if (definition.TakesMoreNamed)
        {
            inner.Set("kwargs", named);
        }
        else if (named.TryGet("caller", out _))
        {
            throw Faults.Type($"macro '{Name}' was invoked with two values for the special caller argument. This is most likely a bug.");
        }
        else if (named.Count > 0)
        {
            throw Faults.Type($"macro '{Name}' takes no keyword argument '{named.Keys.First()}'");
        }

        if (definition.TakesMore)
        {
            inner.Set("varargs", new TupleValue(positional.Length > count ? positional[count..] : []));
        }
        else if (positional.Length > count)
        {
            throw Faults.Type($"macro '{Name}' takes not more than {count} argument(s)");
        }

        renderer.Budget.Step(positional.Length);
    }

    // Defaults are computed in order at each call and may use the parameters before them.
    private void BindDefaults(Renderer renderer, Scope inner)
    {
        for (int i = 0; i < definition.Parameters.Count; i++)
        {
            string name = definition.Parameters[i].Id;
            if (!inner.Has(name))
            {
                inner.Set(name, definition.DefaultOf(i) is Expression value
                    ? value.Evaluate(renderer, inner)
                    : Undefined.Because($"parameter '{name}' was not provided"));
            }
        }
    }
}
