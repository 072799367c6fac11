using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>How a statement ended.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>Something that writes or changes variables.</summary>
internal abstract class Statement(int line) : Node(line)
{
    public override IEnumerable<Node?> Children => [];

    public static Flow RunAll(IReadOnlyList<Statement> body, Renderer renderer, Scope scope)
    {
        foreach (Statement statement in body)
        {
            Flow flow = statement.Execute(renderer, scope);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    public Flow Execute(Renderer renderer, Scope scope)
    {
        renderer.Budget.Step();
        Budget.EnsureStack();
        renderer.Line = Line;
        return Run(renderer, scope);
    }

    protected abstract Flow Run(Renderer renderer, Scope scope);
}

/// <summary>Template text.</summary>
internal sealed class TextStatement(string text, int line) : Statement(line)
{
    public string Text { get; } = text;

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        renderer.Write(Text);
        return Flow.Next;
    }
}

/// <summary><c>{{ … }}</c> or <c>{% print … %}</c>.</summary>
internal sealed class PrintStatement(IReadOnlyList<Expression> values, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => values;

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        foreach (Expression value in values)
        {
            renderer.Print(value.Evaluate(renderer, scope));
        }

        return Flow.Next;
    }
}

internal sealed class IfStatement(
    IReadOnlyList<(Expression Test, IReadOnlyList<Statement> Body)> branches, IReadOnlyList<Statement> otherwise, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => [.. branches.SelectMany(b => (IEnumerable<Node>)[b.Test, .. b.Body]), .. otherwise];

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        foreach ((Expression test, IReadOnlyList<Statement> body) in branches)
        {
            if (Values.IsTrue(test.Evaluate(renderer, scope)))
            {
                return RunAll(body, renderer, scope);
            }
        }

        return RunAll(otherwise, renderer, scope);
    }
}

internal sealed class ForStatement(
    Expression target, Expression items, Expression? filter, bool recursive, IReadOnlyList<Statement> body, IReadOnlyList<Statement> otherwise, int line)
    : Statement(line)
{
    public Expression Target { get; } = target;

    public Expression Source { get; } = items;

    public Expression? Filter { get; } = filter;

    public IReadOnlyList<Statement> Body { get; } = body;

    public IReadOnlyList<Statement> Otherwise { get; } = otherwise;

    public override IEnumerable<Node?> Children => [Target, Source, Filter, .. Body, .. Otherwise];

    /// <summary>Runs the loop over other values, one level deeper: what <c>loop(…)</c> does.</summary>
    public object? Recurse(Renderer renderer, Scope scope, object? values, int depth) =>
        renderer.Capture(() => Loop(renderer, scope, values, depth));

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        Loop(renderer, scope, Source.Evaluate(renderer, scope), 0);
        return Flow.Next;
    }

    private void Loop(Renderer renderer, Scope scope, object? values, int depth)
    {
        object? source = Filter is null ? values : new GeneratorValue(Filtered(renderer, scope, Values.Iterate(values)));
        LoopValue loop = new(source, depth, recursive ? (nested, level) => Recurse(renderer, scope, nested, level) : null);
        bool finished = false;
        while (loop.MoveNext())
        {
            renderer.Budget.Step();
            Scope inner = new(scope);
            inner.Set("loop", loop);
            Assign(renderer, inner, Target, loop.Current);
            Flow flow = RunAll(Body, renderer, inner);
            finished |= flow == Flow.Next;
            if (flow == Flow.Break)
            {
                break;
            }
        }

        // As in Jinja: "else" runs unless some round came to its end without "break" or "continue".
        if (!finished)
        {
            RunAll(Otherwise, renderer, new Scope(scope));
        }
    }

    private IEnumerable<object?> Filtered(Renderer renderer, Scope scope, IEnumerable<object?> values)
    {
        foreach (object? value in values)
        {
            renderer.Budget.Step();
            Scope inner = new(scope);
            Assign(renderer, inner, Target, value);
            if (Values.IsTrue(Filter!.Evaluate(renderer, inner)))
            {
                yield return value;
            }
        }
    }

    /// <summary>Gives a value to a name, an attribute of a namespace, or the values of an iterable to several targets.</summary>
    public static void Assign(Renderer renderer, Scope scope, Expression target, object? value)
    {
        switch (target)
        {
            case Name name:
                scope.Set(name.Id, value);
                break;
            case NamespaceTarget attribute:
                NamespaceValue ns = renderer.Lookup(scope, attribute.Id) as NamespaceValue
                    ?? throw Faults.Runtime("cannot assign attribute on non-namespace object");
                ns.Set(renderer.Budget, attribute.Attribute, value);
                break;
            case TupleLiteral tuple:
                Unpack(renderer, scope, tuple, value);
                break;
        }
    }

    private static void Unpack(Renderer renderer, Scope scope, TupleLiteral tuple, object? value)
    {
        IEnumerable<object?> items = Values.TryIterate(value)
            ?? throw Faults.Type($"cannot unpack non-iterable {Values.TypeName(value)} object");
        List<object?> values = [.. items.Take(tuple.Items.Count + 1)];
        if (values.Count != tuple.Items.Count)
        {
            throw Faults.Value(values.Count > tuple.Items.Count
                ? $"too many values to unpack (expected {tuple.Items.Count})"
                : $"not enough values to unpack (expected {tuple.Items.Count}, got {values.Count})");
        }

        for (int i = 0; i < values.Count; i++)
        {
            Assign(renderer, scope, tuple.Items[i], values[i]);
        }
    }
}

/// <summary><c>break</c> and <c>continue</c>.</summary>
internal sealed class LoopControl(Flow flow, int line) : Statement(line)
{
    public string Keyword => flow == Flow.Break ? "break" : "continue";

    protected override Flow Run(Renderer renderer, Scope scope) => flow;
}

internal sealed class SetStatement(Expression target, Expression value, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => [target, value];

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        ForStatement.Assign(renderer, scope, target, value.Evaluate(renderer, scope));
        return Flow.Next;
    }
}

/// <summary><c>{% set name | filter %} … {% endset %}</c>.</summary>
internal sealed class SetBlock(Expression target, FilterExpression? filter, IReadOnlyList<Statement> body, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => [target, filter, .. body];

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        Scope inner = new(scope);
        Flow flow = Flow.Next;
        object? text = renderer.Capture(() => flow = RunAll(body, renderer, inner));
        if (flow != Flow.Next)
        {
            return flow;
        }

        ForStatement.Assign(renderer, scope, target, filter is null ? text : filter.Apply(renderer, inner, text));
        return Flow.Next;
    }
}

/// <summary><c>{% filter … %}</c>.</summary>
internal sealed class FilterBlock(FilterExpression filter, IReadOnlyList<Statement> body, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => [.. body, filter];

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        Scope inner = new(scope);
        Flow flow = Flow.Next;
        object? text = renderer.Capture(() => flow = RunAll(body, renderer, inner));
        if (flow == Flow.Next)
        {
            renderer.Print(filter.Apply(renderer, inner, text));
        }

        return flow;
    }
}

/// <summary><c>{% with %}</c>.</summary>
internal sealed class WithStatement(
    IReadOnlyList<(Expression Target, Expression Value)> variables, IReadOnlyList<Statement> body, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => [.. variables.SelectMany(v => (IEnumerable<Node>)[v.Target, v.Value]), .. body];

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        Scope inner = new(scope);
        foreach ((Expression target, Expression value) in variables)
        {
            ForStatement.Assign(renderer, inner, target, value.Evaluate(renderer, scope));
        }

        return RunAll(body, renderer, inner);
    }
}

/// <summary><c>{% macro %}</c>.</summary>
internal sealed class MacroStatement(MacroDefinition definition, int line) : Statement(line)
{
    public MacroDefinition Definition { get; } = definition;

    public override IEnumerable<Node?> Children => Definition.Children;

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        scope.Set(Definition.Name!, new MacroValue(Definition, scope, renderer.AutoEscape));
        return Flow.Next;
    }
}

/// <summary><c>{% call %}</c>.</summary>
internal sealed class CallBlock(CallExpression call, MacroDefinition body, int line) : Statement(line)
{
    public MacroDefinition Body { get; } = body;

    public override IEnumerable<Node?> Children => [call, .. Body.Children];

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        renderer.Print(call.CallWith(renderer, scope, new MacroValue(Body, scope, renderer.AutoEscape)));
        return Flow.Next;
    }
}

/// <summary><c>{% generation %}</c>: text that the model is to learn.</summary>
internal sealed class GenerationBlock(IReadOnlyList<Statement> body, int line) : Statement(line)
{
    public IReadOnlyList<Statement> Body { get; } = body;

    public override IEnumerable<Node?> Children => Body;

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        StringBuilder text = renderer.CaptureText(() => RunAll(Body, renderer, new Scope(scope)));
        renderer.MarkGenerated(text);
        renderer.Write(text.ToString());
        return Flow.Next;
    }
}

/// <summary><c>{% block %}</c>: its content in place, seeing only the variables of the top level.</summary>
internal sealed class BlockStatement(string name, bool scoped, IReadOnlyList<Statement> body, int line) : Statement(line)
{
    public string Name { get; } = name;

    public override IEnumerable<Node?> Children => body;

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        RunAll(body, renderer, new Scope(scoped ? scope : scope.Root));
        return Flow.Next;
    }
}

/// <summary><c>{% autoescape %}</c>.</summary>
internal sealed class AutoEscapeStatement(Expression value, IReadOnlyList<Statement> body, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => [value, .. body];

    protected override Flow Run(Renderer renderer, Scope scope)
    {
        bool before = renderer.AutoEscape;
        renderer.AutoEscape = Values.IsTrue(value.Evaluate(renderer, scope));
        try
        {
            return RunAll(body, renderer, new Scope(scope));
        }
        finally
        {
            renderer.AutoEscape = before;
        }
    }
}

/// <summary><c>include</c>, <c>import</c>, <c>from</c>, <c>extends</c>: a chat template has no other templates to load.</summary>
internal sealed class LoaderStatement(string keyword, Expression template, int line) : Statement(line)
{
    public override IEnumerable<Node?> Children => [template];

    protected override Flow Run(Renderer renderer, Scope scope) =>
        throw Faults.Type($"no loader for this environment specified: '{keyword}' needs another template, and a chat template stands alone");
}
