using System.Text;
using System.Text.Json;
using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>How a decoder is put together from the section <c>decoder</c>.</summary>
internal sealed class DecoderPlan
{
    private readonly IReadOnlyList<Maker> _makers;

    private DecoderPlan(IReadOnlyList<Maker> makers) => _makers = makers;

    /// <summary>Makes a step. Fused: the pieces are parts of one text, not texts of their own. Eager: text is wanted at once,
    /// even if a later token could show that it was wrong.</summary>
    private delegate DecodeStep Maker(bool eager);

    /// <summary>The plan for a file without a decoder: tokens with spaces between.</summary>
    public static DecoderPlan Spaced { get; } = new([_ => new SpacedStep()]);

    /// <summary>Reads a decoder.</summary>
    public static DecoderPlan Read(Fields section)
    {
        List<Maker> makers = [];
        bool fused = false;
        ReadInto(section, makers, ref fused);
        return new DecoderPlan(makers);
    }

    /// <summary>The steps for one text.</summary>
    public DecodeStep[] Begin(bool eager) => [.. _makers.Select(m => m(eager))];

    private static void ReadInto(Fields section, List<Maker> makers, ref bool fused)
    {
        string type = section.Text("type");
        if (type == "Sequence")
        {
            foreach ((JsonElement value, string path) in section.Items("decoders"))
            {
                ReadInto(new Fields(value, path), makers, ref fused);
            }

            return;
        }

        Maker maker = ReadOne(type, section, fused, out bool piecewise);
        makers.Add(fused && !piecewise ? eager => new WholeStep(maker(eager)) : maker);
        fused |= type is "Fuse" or "ByteLevel";
    }

    /// <summary>Reads one step; <paramref name="piecewise"/> says whether it may be given one text in parts.</summary>
    private static Maker ReadOne(string type, Fields section, bool fused, out bool piecewise)
    {
        piecewise = type is "Fuse" or "Metaspace" or "Strip";
        switch (type)
        {
            case "ByteLevel":
                return _ => new ByteLevelStep();
            case "ByteFallback":
                return eager => new ByteFallbackStep(eager);
            case "Fuse":
                return _ => new MapStep((piece, _) => piece);
            case "Metaspace":
                (char replacement, bool prepends) = MetaspaceScheme.ReadScheme(section);
                return _ => new MapStep((piece, first) => prepends && (first || fused)
                    ? piece.Replace(replacement.ToString(), "", StringComparison.Ordinal)
                    : piece.Replace(replacement, ' '));
            case "Replace":
                CodePointPattern pattern = PreTokenizer.ReadPattern(section);
                string content = section.Text("content");
                piecewise = section.Object("pattern").OptionalText("String") is { } literal && literal.EnumerateRunes().Count() == 1;
                return _ => new MapStep((piece, _) => Replace(piece, pattern, content));
            case "Strip":
                Rune strip = section.Character("content").EnumerateRunes().First();
                (int start, int stop) = (section.Number("start"), section.Number("stop"));
                return _ => fused ? new StripTextStep(strip, start, stop) : new MapStep((piece, _) => StripPiece(piece, strip, start, stop));
            case "WordPiece":
                string prefix = section.Text("prefix");
                bool cleanup = section.Flag("cleanup");
                return _ => new MapStep((piece, first) => JoinWord(piece, first, prefix, cleanup));
            case "BPEDecoder":
                string suffix = section.Text("suffix");
                return _ => new SuffixStep(suffix);
            default:
                throw new InvalidDataException($"{section.Path}: the decoder \"{type}\" is not supported.");
        }
    }

    private static string Replace(string piece, CodePointPattern pattern, string content)
    {
        List<Cut> cuts = [];
        pattern.FindCuts(piece, cuts);
        if (!cuts.Any(c => c.IsMatch))
        {
            return piece;
        }

        StringBuilder text = new();
        foreach (Cut cut in cuts)
        {
            if (cut.IsMatch)
            {
                text.Append(content);
            }
            else
            {
                text.Append(piece, cut.Start, cut.End - cut.Start);
            }
        }

        return text.ToString();
    }

    private static string StripPiece(string piece, Rune strip, int start, int stop)
    {
        List<Rune> runes = [.. piece.EnumerateRunes()];
        int from = 0;
        while (from < start && from < runes.Count && runes[from] == strip)
        {
            from++;
        }

        int to = runes.Count;
        while (to > from && runes.Count - to < stop && runes[to - 1] == strip)
        {
            to--;
        }

        return string.Concat(runes[from..to].Select(r => r.ToString()));
    }

    private static string JoinWord(string piece, bool first, string prefix, bool cleanup)
    {
        if (!first)
        {
            piece = prefix.Length > 0 && piece.StartsWith(prefix, StringComparison.Ordinal) ? piece[prefix.Length..]
                : prefix.Length == 0 ? piece : " " + piece;
        }

        if (!cleanup)
        {
            return piece;
        }

        foreach ((string old, string tidy) in Untidy)
        {
            piece = piece.Replace(old, tidy, StringComparison.Ordinal);
        }

        return piece;
    }

    private static readonly (string Old, string Tidy)[] Untidy =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
        (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    /// <summary>A step that treats every piece alike, save perhaps the first.</summary>
    private sealed class MapStep(Func<string, bool, string> map) : DecodeStep
    {
        private bool _first = true;

        public override void Push(string piece, List<string> output)
        {
            output.Add(map(piece, _first));
            _first = false;
        }
    }

    private sealed class SpacedStep : DecodeStep
    {
        private bool _first = true;

        public override void Push(string piece, List<string> output)
        {
            output.Add(_first ? piece : " " + piece);
            _first = false;
        }
    }

    /// <summary>Holds one text that comes in parts until it is whole, for steps that need it so.</summary>
    private sealed class WholeStep(DecodeStep inner) : DecodeStep
    {
        private readonly StringBuilder _text = new();

        public override void Push(string piece, List<string> output) => _text.Append(piece);

        public override void Flush(List<string> output)
        {
            inner.Push(_text.ToString(), output);
            inner.Flush(output);
        }
    }

    /// <summary>A suffix marks the end of a word: a space, except at the very end.</summary>
    private sealed class SuffixStep(string suffix) : DecodeStep
    {
        private string? _held;

        public override void Push(string piece, List<string> output)
        {
            if (_held is not null)
            {
                output.Add(Replace(_held, " "));
            }

            _held = piece;
        }

        public override void Flush(List<string> output)
        {
            if (_held is not null)
            {
                output.Add(Replace(_held, ""));
            }
        }

        private string Replace(string piece, string with) => suffix.Length == 0 ? piece : piece.Replace(suffix, with, StringComparison.Ordinal);
    }

    /// <summary>Takes characters off the two ends of one text that comes in parts.</summary>
    private sealed class StripTextStep(Rune strip, int start, int stop) : DecodeStep
    {
        private int _left = start;
        private int _held;

        public override void Push(string piece, List<string> output)
        {
            StringBuilder text = new();
            foreach (Rune rune in piece.EnumerateRunes())
            {
                if (rune == strip && _left > 0)
                {
                    _left--;
                    continue;
                }

                _left = 0;
                if (rune == strip && stop > 0)
                {
                    // It may turn out to be at the end: of a longer run only the last ones can be.
                    if (_held < stop)
                    {
                        _held++;
                        continue;
                    }

                    text.Append(strip.ToString());
                    continue;
                }

                Release(text);
                text.Append(rune.ToString());
            }

            output.Add(text.ToString());
        }

        private void Release(StringBuilder text)
        {
            for (; _held > 0; _held--)
            {
                text.Append(strip.ToString());
            }
        }
    }
}
