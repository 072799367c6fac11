using System.Text.RegularExpressions;
using Anneal.Engine.Text.Patterns;

namespace Anneal.Engine.Tests.Text;

/// <summary>The pattern engine against .NET's own on text where the two must agree, and against Oniguruma's rules where they differ.</summary>
public sealed class CodePointPatternTests
{
    private static readonly string[] RealPatterns =
    [
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        @"[a-z]*?b|(?:ab|a)+c?|(?<=a)[0-9]|(?<!b)x|(?>a+)a|(a|b)*c|(?=\d)\d\d|.{2,3}?",
    ];

    [Fact]
    public void Patterns_cut_text_of_the_basic_plane_as_the_runtimes_own_engine_does()
    {
        const string Alphabet = "aabbcxyzABST'''019 \t\r\n .,!-/(éßΩжłä\u0301\u0323你好あ한ก²Ⅳ\u00A0\u2003\u3000_$+<=ǅʰ";
        Random random = new(11);
        List<Cut> cuts = [];
        foreach (string source in RealPatterns)
        {
            CodePointPattern pattern = new(source);
            Regex oracle = new(source, RegexOptions.CultureInvariant);
            for (int round = 0; round < 400; round++)
            {
                string text = string.Concat(Enumerable.Range(0, random.Next(0, 40)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
                cuts.Clear();
                pattern.FindCuts(text, cuts);
                Assert.Equal(
                    oracle.Matches(text).Select(m => (m.Index, m.Length)).Where(m => m.Length > 0),
                    cuts.Where(c => c.IsMatch && c.End > c.Start).Select(c => (c.Start, c.End - c.Start)));
                Assert.Equal(text, string.Concat(cuts.Select(c => text[c.Start..c.End])));
            }
        }
    }

    [Theory]
    [InlineData(@"\p{L}+", "x𝒳𐐀 𝟘", "x𝒳𐐀")]
    [InlineData(@"\p{N}", "𝟘𝟙", "𝟘|𝟙")]
    [InlineData(@".", "😀a\nb", "😀|a|b")]
    [InlineData(@"(?m:.)", "a\n", "a|\n")]
    [InlineData(@"[^a]", "a😀", "😀")]
    [InlineData(@"[😀-😂]+", "😀😁😂😃", "😀😁😂")]
    [InlineData(@"(?i:'s)", "'s 'S '\u017F", "'s|'S|'\u017F")]
    [InlineData(@"(?i)k", "kK\u212A", "k|K|\u212A")]
    [InlineData(@"a(?i)b|c", "aB aC c", "aB|aC")]
    [InlineData(@"a++b|.", "aab", "aab")]
    [InlineData(@"a*+a|b", "aab", "b")]
    [InlineData(@"\d{1,2}+", "12345", "12345")]
    [InlineData(@"a{,2}b", "aab ab b", "aab|ab|b")]
    [InlineData(@"a{2}?b", "aab b", "aab|b")]
    [InlineData(@"a{x}", "a{x}", "a{x}")]
    [InlineData(@"[a-z&&[^aeiou]]+", "abcde", "bcd")]
    [InlineData(@"[[:digit:]x-]+", "12x-y", "12x-")]
    [InlineData(@"[]a]+", "a]b", "a]")]
    [InlineData(@"^b", "a\nb", "b")]
    [InlineData(@"a$", "a\nba", "a|a")]
    [InlineData(@"a\z", "a\na", "a")]
    [InlineData(@"\ba", "ba a", "a")]
    [InlineData(@"\s", "\u0085\u00A0\u001C\u180E\u200B\u2028", "\u0085|\u00A0|\u2028")]
    [InlineData(@"\x41\u0042\x{1F600}\t", "AB😀\t", "AB😀\t")]
    [InlineData(@"(?<name>a)(?#note)b", "ab", "ab")]
    [InlineData(@"(?x) a b # note", "ab", "ab")]
    [InlineData(@"(a*)*b", "aab", "aab")]
    [InlineData(@"(?<!a|bc)d", "ad bcd cd", "d")]
    public void Matches_are_those_of_oniguruma(string source, string text, string expected)
    {
        List<Cut> cuts = [];
        new CodePointPattern(source).FindCuts(text, cuts);
        Assert.Equal(expected, string.Join('|', cuts.Where(c => c.IsMatch).Select(c => text[c.Start..c.End])));
    }

    [Fact]
    public void Empty_matches_stand_between_characters_but_not_right_after_a_match()
    {
        List<Cut> cuts = [];
        new CodePointPattern("a*").FindCuts("ba", cuts);
        Assert.Equal([(0, 0, true), (0, 1, false), (1, 2, true)], cuts.Select(c => (c.Start, c.End, c.IsMatch)));
    }

    [Theory]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a\\")]
    [InlineData("[z-a]")]
    [InlineData(@"\p{Nonsense}")]
    [InlineData(@"\R")]
    [InlineData(@"(a)\1")]
    [InlineData(@"(?<=a*)b")]
    [InlineData(@"(?y)")]
    [InlineData(@"a{3,2}")]
    [InlineData(@"a{100000}")]
    [InlineData(@"\x{110000}")]
    public void What_is_malformed_or_unsupported_is_refused(string source) =>
        Assert.Contains("pattern", Assert.Throws<InvalidDataException>(() => new CodePointPattern(source)).Message, StringComparison.Ordinal);
}
