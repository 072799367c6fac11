namespace Anneal.Engine.Text.Jinja;

/// <summary>The values of one call.</summary>
internal sealed class Arguments(object?[] positional, DictValue? named)
{
    public static readonly Arguments None = new([], null);

    public object?[] Positional { get; } = positional;

    public DictValue? Named { get; } = named;

    /// <summary>How many there are in all.</summary>
    public int Count => Positional.Length + (Named?.Count ?? 0);

    /// <summary>A copy with one more named argument.</summary>
    public Arguments With(string name, object? value)
    {
        DictValue names = Named?.Copy() ?? new DictValue();
        if (names.TryGet(name, out _))
        {
            throw Faults.Type($"got multiple values for keyword argument '{name}'");
        }

        names.Set(name, value);
        return new Arguments(Positional, names);
    }

    /// <summary>A copy without the first positional ones.</summary>
    public Arguments Skip(int count) => new(Positional[Math.Min(count, Positional.Length)..], Named);
}

/// <summary>The parameters of a function written in C#, and how a call's values are put in their places.</summary>
internal sealed class Signature
{
    private readonly string _function;
    private readonly string[] _names;
    private readonly object?[] _defaults;
    private readonly int _required;
    private readonly bool _positionalOnly;

    private Signature(string function, string[] names, object?[] defaults, int required, bool positionalOnly)
    {
        (_function, _names, _defaults, _required, _positionalOnly) = (function, names, defaults, required, positionalOnly);
    }

    /// <summary>A function that takes nothing.</summary>
    public static Signature Empty(string function) => new(function, [], [], 0, false);

    /// <summary>Parameters by name; those from <paramref name="defaults"/> on are optional.</summary>
    public static Signature Of(string function, string names, params object?[] defaults) =>
        new(function, Split(names), defaults, Split(names).Length - defaults.Length, false);

    /// <summary>The same, but no value may be given by name.</summary>
    public static Signature Positional(string function, string names, params object?[] defaults) =>
        new(function, Split(names), defaults, Split(names).Length - defaults.Length, true);

    /// <summary>The values in the order of the parameters.</summary>
    /// <exception cref="TemplateException">Too many, too few, or of unknown names.</exception>
    public object?[] Bind(Arguments arguments)
    {
        object?[] values = new object?[_names.Length];
        bool[] given = new bool[_names.Length];
        if (arguments.Positional.Length > _names.Length)
        {
            throw Faults.Type($"{_function}() takes at most {_names.Length} arguments ({arguments.Positional.Length} given)");
        }

        arguments.Positional.CopyTo(values, 0);
        given.AsSpan(0, arguments.Positional.Length).Fill(true);
        foreach ((object? key, object? value) in arguments.Named?.Entries ?? [])
        {
            int i = Array.IndexOf(_names, (string)key!);
            if (_positionalOnly || i < 0)
            {
                throw Faults.Type($"{_function}() got an unexpected keyword argument '{key}'");
            }

            if (given[i])
            {
                throw Faults.Type($"{_function}() got multiple values for argument '{key}'");
            }

            (values[i], given[i]) = (value, true);
        }

        for (int i = 0; i < values.Length; i++)
        {
            if (!given[i])
            {
                values[i] = i >= _required
                    ? _defaults[i - _required]
                    : throw Faults.Type($"{_function}() missing a required argument: '{_names[i]}'");
            }
        }

        return values;
    }

    private static string[] Split(string names) => names.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
