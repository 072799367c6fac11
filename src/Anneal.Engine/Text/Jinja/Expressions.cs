namespace Anneal.Engine.Text.Jinja;

/// <summary>A part of a parsed template.</summary>
internal abstract class Node(int line)
{
    public int Line { get; } = line;

    /// <summary>The parts it is made of, in source order; null entries are absent parts.</summary>
    public abstract IEnumerable<Node?> Children { get; }
}

/// <summary>Something that has a value.</summary>
internal abstract class Expression(int line) : Node(line)
{
    public override IEnumerable<Node?> Children => [];

    /// <summary>The value; every evaluation is paid for.</summary>
    public object? Evaluate(Renderer renderer, Scope scope)
    {
        renderer.Budget.Step();
        Budget.EnsureStack();
        return Compute(renderer, scope);
    }

    protected abstract object? Compute(Renderer renderer, Scope scope);
}

internal sealed class Constant(object? value, int line) : Expression(line)
{
    protected override object? Compute(Renderer renderer, Scope scope) => value;
}

internal sealed class Name(string id, int line) : Expression(line)
{
    public string Id { get; } = id;

    /// <summary>Whether the name is given a value here, not read.</summary>
    public bool IsTarget { get; init; }

    protected override object? Compute(Renderer renderer, Scope scope) => renderer.Lookup(scope, Id);
}

/// <summary><c>namespace.attribute</c> as a target of <c>set</c>.</summary>
internal sealed class NamespaceTarget(string id, string attribute, int line) : Expression(line)
{
    public string Id { get; } = id;

    public string Attribute { get; } = attribute;

    protected override object? Compute(Renderer renderer, Scope scope) =>
        throw new InvalidOperationException("A namespace target has no value.");
}

internal sealed class TupleLiteral(IReadOnlyList<Expression> items, int line) : Expression(line)
{
    public IReadOnlyList<Expression> Items { get; } = items;

    public override IEnumerable<Node?> Children => Items;

    protected override object? Compute(Renderer renderer, Scope scope) =>
        new TupleValue([.. Items.Select(x => x.Evaluate(renderer, scope))]);
}

internal sealed class ListLiteral(IReadOnlyList<Expression> items, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => items;

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        List<object?> list = new(items.Count);
        foreach (Expression item in items)
        {
            list.Add(item.Evaluate(renderer, scope));
        }

        return list;
    }
}

internal sealed class DictLiteral(IReadOnlyList<(Expression Key, Expression Value)> entries, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => entries.SelectMany(e => new Node[] { e.Key, e.Value });

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        DictValue dict = new();
        foreach ((Expression key, Expression value) in entries)
        {
            object? k = key.Evaluate(renderer, scope);
            dict.Set(renderer.Budget, k, value.Evaluate(renderer, scope));
        }

        return dict;
    }
}

internal sealed class AttributeAccess(Expression target, string name, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [target];

    protected override object? Compute(Renderer renderer, Scope scope) =>
        Members.Attribute(renderer, target.Evaluate(renderer, scope), name);
}

internal sealed class ItemAccess(Expression target, Expression index, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [target, index];

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object? value = target.Evaluate(renderer, scope);
        return index is SliceLiteral slice
            ? Slices.Take(renderer.Budget, value, slice.Bounds(renderer, scope))
            : Members.Item(renderer, value, index.Evaluate(renderer, scope));
    }
}

/// <summary><c>start:stop:step</c> inside brackets.</summary>
internal sealed class SliceLiteral(Expression? start, Expression? stop, Expression? step, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [start, stop, step];

    public (object? Start, object? Stop, object? Step) Bounds(Renderer renderer, Scope scope) =>
        (start?.Evaluate(renderer, scope), stop?.Evaluate(renderer, scope), step?.Evaluate(renderer, scope));

    protected override object? Compute(Renderer renderer, Scope scope) => throw Faults.Type("a slice stands for no value of its own");
}

/// <summary>What stands between the parentheses of a call.</summary>
internal sealed class CallArguments(
    IReadOnlyList<Expression> positional, IReadOnlyList<(string Name, Expression Value)> named, Expression? more, Expression? moreNamed)
{
    public static readonly CallArguments None = new([], [], null, null);

    public IEnumerable<Node?> Children => [.. positional, .. named.Select(n => n.Value), more, moreNamed];

    public Arguments Evaluate(Renderer renderer, Scope scope)
    {
        List<object?> values = new(positional.Count);
        foreach (Expression argument in positional)
        {
            values.Add(argument.Evaluate(renderer, scope));
        }

        DictValue? names = named.Count > 0 || moreNamed is not null ? new DictValue() : null;
        foreach ((string name, Expression value) in named)
        {
            names!.Set(name, value.Evaluate(renderer, scope));
        }

        if (more is not null)
        {
            values.AddRange(Values.ToList(renderer.Budget, more.Evaluate(renderer, scope)));
        }

        if (moreNamed is not null)
        {
            AddNamed(renderer.Budget, names!, moreNamed.Evaluate(renderer, scope));
        }

        return new Arguments([.. values], names);
    }

    private static void AddNamed(Budget budget, DictValue names, object? value)
    {
        DictValue dict = value as DictValue ?? throw Faults.Type($"argument after ** must be a mapping, not {Values.TypeName(value)}");
        foreach ((object? key, object? item) in dict.Entries)
        {
            string name = Values.AsString(key) ?? throw Faults.Type("keywords must be strings");
            if (names.TryGet(name, out _))
            {
                throw Faults.Type($"got multiple values for keyword argument '{name}'");
            }

            names.Set(budget, name, item);
        }
    }
}

internal sealed class CallExpression(Expression function, CallArguments arguments, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [function, .. arguments.Children];

    /// <summary>Calls with a body to hand over, as <c>{% call %}</c> does.</summary>
    public object? CallWith(Renderer renderer, Scope scope, MacroValue caller)
    {
        object? target = function.Evaluate(renderer, scope);
        Arguments values = arguments.Evaluate(renderer, scope);
        return renderer.Call(target, values.With("caller", caller));
    }

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object? target = function.Evaluate(renderer, scope);
        return renderer.Call(target, arguments.Evaluate(renderer, scope));
    }
}

/// <summary><c>value | name(…)</c>; without a value it is applied to a block.</summary>
internal sealed class FilterExpression(Expression? value, string name, CallArguments arguments, int line) : Expression(line)
{
    public string FilterName { get; } = name;

    public override IEnumerable<Node?> Children => [value, .. arguments.Children];

    /// <summary>Applies the chain to the text of a block.</summary>
    public object? Apply(Renderer renderer, Scope scope, object? block)
    {
        object? input = value is FilterExpression inner ? inner.Apply(renderer, scope, block) : block;
        return Filters.Apply(renderer, FilterName, input, arguments.Evaluate(renderer, scope));
    }

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object? input = value!.Evaluate(renderer, scope);
        return Filters.Apply(renderer, FilterName, input, arguments.Evaluate(renderer, scope));
    }
}

internal sealed class TestExpression(Expression value, string name, CallArguments arguments, int line) : Expression(line)
{
    public string TestName { get; } = name;

    public override IEnumerable<Node?> Children => [value, .. arguments.Children];

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object? input = value.Evaluate(renderer, scope);
        return Tests.Apply(renderer, TestName, input, arguments.Evaluate(renderer, scope));
    }
}

internal sealed class UnaryExpression(char sign, Expression operand, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [operand];

    protected override object? Compute(Renderer renderer, Scope scope) =>
        Arithmetic.Unary(sign, operand.Evaluate(renderer, scope));
}

internal sealed class NotExpression(Expression operand, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [operand];

    protected override object? Compute(Renderer renderer, Scope scope) => !Values.IsTrue(operand.Evaluate(renderer, scope));
}

internal sealed class BinaryExpression(string sign, Expression left, Expression right, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [left, right];

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object? a = left.Evaluate(renderer, scope);
        return Arithmetic.Binary(renderer, sign, a, right.Evaluate(renderer, scope));
    }
}

/// <summary><c>and</c> and <c>or</c>: the value of the operand that decides.</summary>
internal sealed class LogicExpression(bool isAnd, Expression left, Expression right, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [left, right];

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object? a = left.Evaluate(renderer, scope);
        return Values.IsTrue(a) == isAnd ? right.Evaluate(renderer, scope) : a;
    }
}

/// <summary>A chain of comparisons: <c>a &lt; b &lt; c</c> holds if each does.</summary>
internal sealed class CompareExpression(Expression first, IReadOnlyList<(string Sign, Expression Value)> rest, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [first, .. rest.Select(r => r.Value)];

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object? left = first.Evaluate(renderer, scope);
        foreach ((string sign, Expression value) in rest)
        {
            object? right = value.Evaluate(renderer, scope);
            if (!Holds(renderer.Budget, sign, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private static bool Holds(Budget budget, string sign, object? a, object? b) => sign switch
    {
        "==" => Comparison.AreEqual(budget, a, b),
        "!=" => !Comparison.AreEqual(budget, a, b),
        "in" => Comparison.Contains(budget, b, a),
        "not in" => !Comparison.Contains(budget, b, a),
        _ => Comparison.Holds(budget, sign, a, b),
    };
}

/// <summary><c>a ~ b ~ c</c>: the texts side by side.</summary>
internal sealed class ConcatExpression(IReadOnlyList<Expression> parts, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => parts;

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        object?[] values = [.. parts.Select(p => p.Evaluate(renderer, scope))];
        bool escape = renderer.AutoEscape && values.Any(v => v is Markup);
        string[] texts = [.. values.Select(v => escape ? Markup.Escape(renderer.Budget, v) : Values.ToText(renderer.Budget, v))];
        renderer.Budget.Text(texts.Sum(t => (long)t.Length));
        string joined = string.Concat(texts);
        return escape ? new Markup(joined) : joined;
    }
}

/// <summary><c>a if test else b</c>; undefined without an else.</summary>
internal sealed class ConditionalExpression(Expression test, Expression then, Expression? otherwise, int line) : Expression(line)
{
    public override IEnumerable<Node?> Children => [test, then, otherwise];

    protected override object? Compute(Renderer renderer, Scope scope)
    {
        if (Values.IsTrue(test.Evaluate(renderer, scope)))
        {
            return then.Evaluate(renderer, scope);
        }

        return otherwise is not null
            ? otherwise.Evaluate(renderer, scope)
            : Undefined.Because($"the inline if-expression on line {Line} evaluated to false and no else section was defined.");
    }
}
