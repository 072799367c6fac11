using System.Text;
using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>Cuts a normalized stretch of text into the words that the model works on. Safe for use by many threads at once.</summary>
internal abstract class PreTokenizer
{
    // \w of the expression library behind these two, which counts the join controls in.
    private static readonly Lazy<CodePointPattern> Words = new(() => new CodePointPattern(@"[\w\u200C\u200D]+|[^\w\s\u200C\u200D]+"));

    private static readonly Lazy<CodePointPattern> Gpt2 = new(() => new CodePointPattern(
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"));

    /// <summary>Whether the step must know where in the original a piece begins.</summary>
    public virtual bool NeedsAlignment => false;

    /// <summary>Cuts, and may rewrite, the pieces there are.</summary>
    public abstract void Apply(PreTokenized pieces);

    /// <summary>Reads a pre-tokenizer.</summary>
    public static PreTokenizer Read(Fields section)
    {
        string type = section.Text("type");
        return type switch
        {
            "Sequence" => new SequenceOf([.. section.Items("pretokenizers").Select(i => Read(new Fields(i.Value, i.Path)))]),
            "ByteLevel" => new ByteLevel(section.Flag("add_prefix_space"), section.Flag("use_regex", absent: true)),
            "Split" => ReadSplit(section),
            "Metaspace" => MetaspaceScheme.Read(section),
            "Digits" => new AtSet(UnicodeProperties.Numeric, section.Flag("individual_digits") ? SplitBehavior.Isolated : SplitBehavior.Contiguous),
            "Punctuation" => new AtSet(UnicodeTables.Shared.Punctuation, section.Find("behavior") is null ? SplitBehavior.Isolated : ReadBehavior(section)),
            "Whitespace" => new AtPattern(Words.Value, SplitBehavior.Removed, invert: true),
            "WhitespaceSplit" => new AtSet(UnicodeProperties.Space, SplitBehavior.Removed),
            "BertPreTokenizer" => new SequenceOf(
            [
                new AtSet(UnicodeProperties.Space, SplitBehavior.Removed), new AtSet(UnicodeTables.Shared.Punctuation, SplitBehavior.Isolated),
            ]),
            "CharDelimiterSplit" => new AtPattern(CodePointPattern.Literal(section.Character("delimiter")), SplitBehavior.Removed, invert: false),
            "FixedLength" => ReadFixedLength(section),
            _ => throw new InvalidDataException($"{section.Path}: the pre-tokenizer \"{type}\" is not supported."),
        };
    }

    /// <summary>Reads a pattern that is either <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
    public static CodePointPattern ReadPattern(Fields section)
    {
        Fields pattern = section.Object("pattern");
        try
        {
            if (pattern.OptionalText("String") is { } text)
            {
                return text.Length > 0 ? CodePointPattern.Literal(text) : throw new InvalidDataException("An empty string is no pattern.");
            }

            return new CodePointPattern(pattern.Text("Regex"));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{pattern.Path}: {e.Message}", e);
        }
    }

    private static AtPattern ReadSplit(Fields section) => new(ReadPattern(section), ReadBehavior(section), section.Flag("invert", absent: false));

    private static SplitBehavior ReadBehavior(Fields section)
    {
        string name = section.Text("behavior");
        return Enum.TryParse(name, out SplitBehavior behavior) && behavior.ToString() == name
            ? behavior
            : throw new InvalidDataException($"{section.Path}.behavior \"{name}\" is not one of {string.Join(", ", Enum.GetNames<SplitBehavior>())}.");
    }

    private static EveryLength ReadFixedLength(Fields section)
    {
        const int Default = 5;
        int length = section.Find("length") is null ? Default : section.Number("length");
        return length > 0 ? new EveryLength(length) : throw new InvalidDataException($"{section.Path}.length must be above 0.");
    }

    private sealed class SequenceOf(PreTokenizer[] steps) : PreTokenizer
    {
        public override bool NeedsAlignment { get; } = steps.Any(s => s.NeedsAlignment);

        public override void Apply(PreTokenized pieces)
        {
            foreach (PreTokenizer step in steps)
            {
                step.Apply(pieces);
            }
        }
    }

    private sealed class AtPattern(CodePointPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
    {
        public override void Apply(PreTokenized pieces) => pieces.Split(pattern, behavior, invert);
    }

    private sealed class AtSet(CodePointSet set, SplitBehavior behavior) : PreTokenizer
    {
        public override void Apply(PreTokenized pieces) => pieces.Split(set, behavior);
    }

    private sealed class EveryLength(int length) : PreTokenizer
    {
        public override void Apply(PreTokenized pieces) => pieces.SplitEvery(length);
    }

    /// <summary>Bytes as characters (<see cref="ByteAlphabet"/>), after GPT-2's own pattern has cut the text.</summary>
    private sealed class ByteLevel(bool addPrefixSpace, bool useRegex) : PreTokenizer
    {
        public override void Apply(PreTokenized pieces)
        {
            if (addPrefixSpace)
            {
                pieces.Rewrite(static (text, start, end, builder) =>
                {
                    if (text.Span[start] != ' ')
                    {
                        (int from, int to) = text.Place(start);
                        builder.Append(' ', from, to);
                    }

                    builder.Append(text, start, end);
                });
            }

            if (useRegex)
            {
                pieces.Split(Gpt2.Value, SplitBehavior.Isolated);
            }

            if (System.Text.Ascii.IsValid(pieces.Text.Span))
            {
                char[] same = new char[pieces.Text.Length];
                ReadOnlySpan<char> text = pieces.Text.Span;
                for (int i = 0; i < same.Length; i++)
                {
                    same[i] = ByteAlphabet.Characters[text[i]];
                }

                pieces.Text.Overwrite(same);
                return;
            }

            pieces.Rewrite(AppendBytes);
        }

        private static void AppendBytes(AlignedText text, int start, int end, AlignedText.Builder builder)
        {
            ReadOnlySpan<char> span = text.Span;
            Span<byte> bytes = stackalloc byte[4];
            for (int at = start; at < end;)
            {
                (int from, int to) = text.Place(at);
                if (span[at] < 128)
                {
                    builder.Append(ByteAlphabet.Characters[span[at]], from, to);
                    at++;
                    continue;
                }

                Rune.DecodeFromUtf16(span[at..end], out Rune rune, out int width);
                int count = rune.EncodeToUtf8(bytes);
                for (int i = 0; i < count; i++)
                {
                    builder.Append(ByteAlphabet.Characters[bytes[i]], from, to);
                }

                at += width;
            }
        }
    }
}
