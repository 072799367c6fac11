using System.Text;
using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>Changes a stretch of text before it is cut into words. Safe for use by many threads at once.</summary>
internal abstract class Normalizer
{
    /// <summary>Changes the text in place.</summary>
    public abstract void Apply(AlignedText text);

    /// <summary>Reads a normalizer.</summary>
    public static Normalizer Read(Fields section)
    {
        string type = section.Text("type");
        return type switch
        {
            "Sequence" => new SequenceOf([.. section.Items("normalizers").Select(i => Read(new Fields(i.Value, i.Path)))]),
            "NFC" => new Form(UnicodeForm.C),
            "NFD" => new Form(UnicodeForm.D),
            "NFKC" => new Form(UnicodeForm.KC),
            "NFKD" => new Form(UnicodeForm.KD),
            "Prepend" => new Prefix(section.Text("prepend")),
            "Replace" => new Replacement(PreTokenizer.ReadPattern(section), section.Text("content")),
            "Lowercase" => new Lowercase(),
            "Strip" => new Strip(section.Flag("strip_left"), section.Flag("strip_right")),
            "StripAccents" => new Filter(c => !UnicodeTables.Shared.Marks.Contains(c), c => c),
            "Nmt" => new Filter(c => !IsDroppedByNmt(c), c => IsBlankToNmt(c) ? ' ' : c),
            "BertNormalizer" => ReadBert(section),
            "Precompiled" => PrecompiledMap.Read(section),
            "ByteLevel" => new Bytes(),
            _ => throw new InvalidDataException($"{section.Path}: the normalizer \"{type}\" is not supported."),
        };
    }

    private static SequenceOf ReadBert(Fields section)
    {
        List<Normalizer> steps = [];
        bool lowercase = section.Flag("lowercase");
        if (section.Flag("clean_text"))
        {
            steps.Add(new Filter(c => c is not (0 or 0xFFFD) && !IsControl(c), c => UnicodeProperties.Space.Contains(c) ? ' ' : c));
        }

        if (section.Flag("handle_chinese_chars"))
        {
            steps.Add(new SpacedIdeographs());
        }

        if (section.Flag("strip_accents", absent: lowercase))
        {
            steps.Add(new Form(UnicodeForm.D));
            steps.Add(new Filter(c => !UnicodeTables.Shared.NonSpacingMarks.Contains(c), c => c));
        }

        if (lowercase)
        {
            steps.Add(new Lowercase());
        }

        return new SequenceOf([.. steps]);
    }

    private static bool IsControl(int c) => c is not ('\t' or '\n' or '\r') && UnicodeTables.Shared.Controls.Contains(c);

    private static bool IsDroppedByNmt(int c) => c is (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F;

    private static bool IsBlankToNmt(int c) => c is 0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F)
        or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD;

    private sealed class SequenceOf(Normalizer[] steps) : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            foreach (Normalizer step in steps)
            {
                step.Apply(text);
            }
        }
    }

    private sealed class Form(UnicodeForm form) : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            if (!UnicodeNormalization.IsSurelyNormal(text.Span, form))
            {
                text.Transform(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(UnicodeNormalization.Normalize(text.Span, form)));
            }
        }
    }

    /// <summary>Puts a text in front of everything that is not empty.</summary>
    private sealed class Prefix(string prefix) : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            if (text.Length == 0)
            {
                return;
            }

            AlignedText.Builder builder = new(text.Length + prefix.Length, text.Tracked);
            (int start, int end) = text.Place(0);
            foreach (char c in prefix)
            {
                builder.Append(c, start, end);
            }

            builder.Append(text, 0, text.Length);
            text.Take(builder);
        }
    }

    private sealed class Replacement(CodePointPattern pattern, string content) : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            List<Cut> cuts = [];
            pattern.FindCuts(text.Span, cuts);
            if (!cuts.Any(c => c.IsMatch))
            {
                return;
            }

            AlignedText.Builder builder = new(text.Length, text.Tracked);
            foreach (Cut cut in cuts)
            {
                if (!cut.IsMatch)
                {
                    builder.Append(text, cut.Start, cut.End);
                    continue;
                }

                // What is new stands for the last character of what it replaces.
                (int start, int end) = text.Place(cut.End - 1);
                foreach (char c in content)
                {
                    builder.Append(c, start, end);
                }
            }

            text.Take(builder);
        }
    }

    private sealed class Lowercase : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            List<Change> changes = new(text.Length);
            foreach (Rune rune in text.Span.EnumerateRunes())
            {
                // The one character whose lower case is two: İ is i with a dot above.
                if (rune.Value == 0x130)
                {
                    changes.Add(new Change('i', 0));
                    changes.Add(new Change(0x307, 1));
                    continue;
                }

                changes.Add(new Change(Rune.ToLowerInvariant(rune).Value, 0));
            }

            text.Transform(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(changes));
        }
    }

    private sealed class Strip(bool left, bool right) : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            ReadOnlySpan<char> span = text.Span;
            int start = 0;
            int end = span.Length;

            // All white space is in the basic plane, so units will do.
            while (left && start < end && UnicodeProperties.Space.Contains(span[start]))
            {
                start++;
            }

            while (right && end > start && UnicodeProperties.Space.Contains(span[end - 1]))
            {
                end--;
            }

            if (end - start < span.Length)
            {
                AlignedText.Builder builder = new(end - start, text.Tracked);
                builder.Append(text, start, end);
                text.Take(builder);
            }
        }
    }

    /// <summary>Drops code points, then maps those that are left one to one.</summary>
    private sealed class Filter(Func<int, bool> keep, Func<int, int> map) : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            List<Change> changes = new(text.Length);
            int dropped = 0;
            int droppedFirst = 0;
            foreach (Rune rune in text.Span.EnumerateRunes())
            {
                if (!keep(rune.Value))
                {
                    dropped++;
                    continue;
                }

                if (changes.Count == 0)
                {
                    droppedFirst = dropped;
                }
                else
                {
                    changes[^1] = changes[^1] with { Delta = -dropped };
                }

                changes.Add(new Change(map(rune.Value), 0));
                dropped = 0;
            }

            if (changes.Count > 0)
            {
                changes[^1] = changes[^1] with { Delta = -dropped };
            }

            text.Transform(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(changes), droppedFirst);
        }
    }

    /// <summary>Puts spaces around ideographs.</summary>
    private sealed class SpacedIdeographs : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            List<Change> changes = new(text.Length);
            foreach (Rune rune in text.Span.EnumerateRunes())
            {
                if (IsIdeograph(rune.Value))
                {
                    changes.AddRange([new Change(' ', 0), new Change(rune.Value, 1), new Change(' ', 1)]);
                }
                else
                {
                    changes.Add(new Change(rune.Value, 0));
                }
            }

            text.Transform(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(changes));
        }

        // BERT's own ranges, with its gap at U+2B820.
        private static bool IsIdeograph(int c) => c is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
            or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF)
            or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
    }

    /// <summary>Each byte of UTF-8 as a character of the <see cref="ByteAlphabet"/>.</summary>
    private sealed class Bytes : Normalizer
    {
        public override void Apply(AlignedText text)
        {
            List<Change> changes = new(text.Length);
            Span<byte> bytes = stackalloc byte[4];
            foreach (Rune rune in text.Span.EnumerateRunes())
            {
                int count = rune.EncodeToUtf8(bytes);
                for (int i = 0; i < count; i++)
                {
                    changes.Add(new Change(ByteAlphabet.Characters[bytes[i]], i > 0 ? 1 : 0));
                }
            }

            text.Transform(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(changes));
        }
    }
}
