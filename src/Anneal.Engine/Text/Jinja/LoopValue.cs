namespace Anneal.Engine.Text.Jinja;

/// <summary>The variable <c>loop</c>. It looks ahead only when asked for the next item or the length.</summary>
internal sealed class LoopValue : IValue, ICallable
{
    private readonly Func<object?, int, object?>? _recurse;
    private IEnumerator<object?> _items;
    private int? _length;
    private bool _hasNext;
    private object? _next;
    private object?[]? _lastChanged;

    public LoopValue(object? source, int depth0, Func<object?, int, object?>? recurse)
    {
        _items = Values.Iterate(source).GetEnumerator();
        _length = Values.Length(source);
        Depth0 = depth0;
        _recurse = recurse;
    }

    public string TypeName => "LoopContext";

    public int Depth0 { get; }

    public int Index0 { get; private set; } = -1;

    public object? Current { get; private set; }

    public object? Previous { get; private set; }

    /// <summary>Goes to the next item.</summary>
    public bool MoveNext()
    {
        if (!Peek(out object? next))
        {
            return false;
        }

        _hasNext = false;
        Previous = Current;
        Current = next;
        Index0++;
        return true;
    }

    /// <summary>Looks at the next item without going there.</summary>
    public bool Peek(out object? next)
    {
        if (!_hasNext && _items.MoveNext())
        {
            _next = _items.Current;
            _hasNext = true;
        }

        next = _next;
        return _hasNext;
    }

    /// <summary>Number of items in all; reads the rest of a generator.</summary>
    public int Length(Budget budget)
    {
        if (_length is null)
        {
            List<object?> rest = [];
            while (_items.MoveNext())
            {
                rest.Add(_items.Current);
                budget.Items(rest.Count >> 4);
            }

            _items = rest.GetEnumerator();
            _length = rest.Count + Index0 + 1 + (_hasNext ? 1 : 0);
        }

        return _length.Value;
    }

    /// <summary>Whether these values differ from those of the last call.</summary>
    public bool Changed(Budget budget, object?[] values)
    {
        if (_lastChanged is not null && Comparison.AreEqual(budget, new TupleValue(_lastChanged), new TupleValue(values)))
        {
            return false;
        }

        _lastChanged = values;
        return true;
    }

    /// <summary>Runs the loop's body over other values.</summary>
    public object? Call(Renderer renderer, Arguments arguments)
    {
        if (_recurse is null)
        {
            throw Faults.Type("The loop must have the 'recursive' marker to be called recursively.");
        }

        if (arguments.Count != 1 || arguments.Positional.Length != 1)
        {
            throw Faults.Type("loop() takes exactly one argument");
        }

        renderer.Budget.Enter();
        object? text = _recurse(arguments.Positional[0], Depth0 + 1);
        renderer.Budget.Leave();
        return text;
    }
}
