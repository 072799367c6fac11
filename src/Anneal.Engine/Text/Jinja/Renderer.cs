using System.Text;

namespace Anneal.Engine.Text.Jinja;

/// <summary>One rendering: where text goes, what variables the caller gave, and what has been used of the limits.</summary>
internal sealed class Renderer
{
    private readonly IReadOnlyDictionary<string, object?> _inputs;
    private readonly StringBuilder _root = new();
    private readonly List<GeneratedSpan> _spans = [];
    private StringBuilder _output;
    private int _rootCodePoints;

    public Renderer(TemplateLimits limits, IReadOnlyDictionary<string, object?> inputs, DateTime now)
    {
        Budget = new Budget(limits);
        _inputs = inputs;
        Now = now;
        _output = _root;
    }

    public Budget Budget { get; }

    /// <summary>The local time that <c>strftime_now</c> sees.</summary>
    public DateTime Now { get; }

    /// <summary>Whether what is printed is escaped for HTML; chat templates start without.</summary>
    public bool AutoEscape { get; set; }

    /// <summary>Line of the statement that runs.</summary>
    public int Line { get; set; }

    /// <summary>Where <c>generation</c> blocks stand in the text.</summary>
    public IReadOnlyList<GeneratedSpan> Spans => _spans;

    /// <summary>Runs a whole template.</summary>
    public string Run(IReadOnlyList<Statement> body)
    {
        try
        {
            Statement.RunAll(body, this, new Scope(null));
            return _root.ToString();
        }
        catch (TemplateException e)
        {
            e.TemplateLine = Line;
            throw;
        }
    }

    /// <summary>The value of a name: a variable, what the caller gave, a function of the language; else undefined.</summary>
    public object? Lookup(Scope scope, string name) =>
        scope.TryGet(name, out object? value) || _inputs.TryGetValue(name, out value) || Globals.TryGet(name, out value)
            ? value
            : Undefined.Variable(name);

    public object? Call(object? target, Arguments arguments) => target switch
    {
        ICallable function => function.Call(this, arguments),
        Undefined undefined => throw undefined.Fail(),
        _ => throw Faults.Type($"'{Values.TypeName(target)}' object is not callable"),
    };

    /// <summary>Writes text as it is.</summary>
    public void Write(string text)
    {
        Budget.Grow((long)_output.Length + text.Length, text.Length);
        _output.Append(text);
        if (ReferenceEquals(_output, _root))
        {
            _rootCodePoints += PythonText.Length(text);
        }
    }

    /// <summary>Writes a value as <c>{{ value }}</c> does.</summary>
    public void Print(object? value) => Write(AutoEscape ? Markup.Escape(Budget, value) : Values.ToText(Budget, value));

    /// <summary>What an action writes, as a value.</summary>
    public object? Capture(Action write)
    {
        string text = CaptureText(write).ToString();
        return AutoEscape ? new Markup(text) : text;
    }

    /// <summary>What an action writes.</summary>
    public StringBuilder CaptureText(Action write)
    {
        StringBuilder outside = _output;
        StringBuilder inside = new();
        _output = inside;
        try
        {
            write();
        }
        finally
        {
            _output = outside;
        }

        return inside;
    }

    /// <summary>
    /// Notes that this text, about to be written, is generated. Inside a macro the place is not known yet; then the end
    /// of what the template itself has written stands for it, as in transformers, and the span says that it is not exact.
    /// </summary>
    public void MarkGenerated(StringBuilder text)
    {
        int length = PythonText.Length(text.ToString());
        bool isExact = ReferenceEquals(_output, _root);
        _spans.Add(new GeneratedSpan(_rootCodePoints, _rootCodePoints + length, _root.Length, _root.Length + text.Length, isExact));
    }
}

/// <summary>A generation block in code points and in UTF-16 units.</summary>
internal readonly record struct GeneratedSpan(int Start, int End, int Utf16Start, int Utf16End, bool IsExact);
