using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>
/// SentencePiece's spaces: every space becomes a visible character (▁), one is put in front, and words begin with it.
/// </summary>
internal sealed class MetaspaceScheme : PreTokenizer
{
    private readonly char _replacement;
    private readonly Prepend _prepend;
    private readonly bool _split;
    private readonly CodePointSet _boundary;

    private MetaspaceScheme(char replacement, Prepend prepend, bool split)
    {
        _replacement = replacement;
        _prepend = prepend;
        _split = split;
        _boundary = CodePointSet.Of(replacement).Prepare();
    }

    private enum Prepend
    {
        Always,
        First,
        Never,
    }

    /// <summary>Only "first" must tell the start of the text from the start of a later stretch.</summary>
    public override bool NeedsAlignment => _prepend == Prepend.First;

    /// <summary>Reads the replacement and whether decoding drops it at the front; the decoder of the same name has the same fields.</summary>
    public static (char Replacement, bool Prepends) ReadScheme(Fields section)
    {
        MetaspaceScheme scheme = Read(section);
        return (scheme._replacement, scheme._prepend != Prepend.Never);
    }

    /// <summary>Reads a section of type Metaspace, in its present or its old spelling (<c>add_prefix_space</c>).</summary>
    public static new MetaspaceScheme Read(Fields section)
    {
        string replacement = section.Character("replacement");
        if (replacement.Length != 1)
        {
            throw new InvalidDataException($"{section.Path}.replacement \"{replacement}\" is beyond U+FFFF, which is not supported.");
        }

        string name = section.OptionalText("prepend_scheme") ?? "always";
        Prepend prepend = name switch
        {
            "always" => Prepend.Always,
            "first" => Prepend.First,
            "never" => Prepend.Never,
            _ => throw new InvalidDataException($"{section.Path}.prepend_scheme \"{name}\" is not one of always, first, never."),
        };
        if (!section.Flag("add_prefix_space", absent: true))
        {
            // The old field means "never"; a file that also names another scheme contradicts itself.
            prepend = section.Find("prepend_scheme") is null || prepend == Prepend.Never
                ? Prepend.Never
                : throw new InvalidDataException($"{section.Path}: add_prefix_space false contradicts prepend_scheme \"{name}\".");
        }

        return new MetaspaceScheme(replacement[0], prepend, section.Flag("split", absent: true));
    }

    /// <inheritdoc/>
    public override void Apply(PreTokenized pieces)
    {
        pieces.Rewrite((text, start, end, builder) =>
        {
            ReadOnlySpan<char> span = text.Span;
            (int from, int to) = text.Place(start);
            bool begins = span[start] == _replacement || span[start] == ' ';
            if (!begins && (_prepend == Prepend.Always || (_prepend == Prepend.First && from == 0)))
            {
                builder.Append(_replacement, from, to);
            }

            for (int at = start; at < end; at++)
            {
                (from, to) = text.Place(at);
                builder.Append(span[at] == ' ' ? _replacement : span[at], from, to);
            }
        });
        if (_split)
        {
            pieces.Split(_boundary, SplitBehavior.MergedWithNext);
        }
    }
}
