using Anneal.Engine.Text.Tokenization;

namespace Anneal.Engine.Tests.Text;

/// <summary>The cases of UAX 15 that go wrong most easily: order of marks, blocking, exclusions, Hangul.</summary>
public sealed class UnicodeNormalizationTests
{
    [Theory]
    [InlineData("\u00E9", "\u00E9", "e\u0301", "\u00E9", "e\u0301")]
    [InlineData("e\u0301", "\u00E9", "e\u0301", "\u00E9", "e\u0301")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307", "q\u0323\u0307", "q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("a\u0315\u0300\u05AE\u0301b", "\u00E0\u05AE\u0301\u0315b", "a\u05AE\u0300\u0301\u0315b", "\u00E0\u05AE\u0301\u0315b", "a\u05AE\u0300\u0301\u0315b")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C")]
    [InlineData("\u2126\u212B", "\u03A9\u00C5", "\u03A9A\u030A", "\u03A9\u00C5", "\u03A9A\u030A")]
    [InlineData("\uFB01\u2460\u338F", "\uFB01\u2460\u338F", "\uFB01\u2460\u338F", "fi1kg", "fi1kg")]
    [InlineData("\uD55C", "\uD55C", "\u1112\u1161\u11AB", "\uD55C", "\u1112\u1161\u11AB")]
    [InlineData("\u1112\u1161\u11AB\u11AB", "\uD55C\u11AB", "\u1112\u1161\u11AB\u11AB", "\uD55C\u11AB", "\u1112\u1161\u11AB\u11AB")]
    [InlineData("\u0301a", "\u0301a", "\u0301a", "\u0301a", "\u0301a")]
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307", "\u1E69", "s\u0323\u0307")]
    [InlineData("\U0001D538\U0001D15E", "\U0001D538\U0001D157\U0001D165", "\U0001D538\U0001D157\U0001D165", "A\U0001D157\U0001D165", "A\U0001D157\U0001D165")]
    [InlineData("\u0344", "\u0308\u0301", "\u0308\u0301", "\u0308\u0301", "\u0308\u0301")]
    [InlineData("\u03B1\u0345\u0301", "\u1FB4", "\u03B1\u0301\u0345", "\u1FB4", "\u03B1\u0301\u0345")]
    [InlineData("a\u0327\u0301\u0301", "\u00E1\u0327\u0301", "a\u0327\u0301\u0301", "\u00E1\u0327\u0301", "a\u0327\u0301\u0301")]
    [InlineData("\u1100\uAC00\u11A8", "\u1100\uAC01", "\u1100\u1100\u1161\u11A8", "\u1100\uAC01", "\u1100\u1100\u1161\u11A8")]
    [InlineData("", "", "", "", "")]
    public void Texts_have_the_four_forms_of_the_standard(string text, string c, string d, string kc, string kd)
    {
        foreach ((UnicodeForm form, string expected) in new[] { (UnicodeForm.C, c), (UnicodeForm.D, d), (UnicodeForm.KC, kc), (UnicodeForm.KD, kd) })
        {
            List<Change> changes = UnicodeNormalization.Normalize(text, form);
            Assert.Equal(expected, string.Concat(changes.Select(x => char.ConvertFromUtf32(x.CodePoint))));

            // The changes account for every code point of the old text.
            Assert.Equal(text.EnumerateRunes().Count(), changes.Sum(x => x.Delta > 0 ? 0 : 1 - x.Delta));
            Assert.True(expected == text || !UnicodeNormalization.IsSurelyNormal(text, form));
        }
    }

    [Fact]
    public void Categories_are_as_old_as_the_librarys_tables()
    {
        // Marks came with 9.0 (U+08D4) and 10.0 (U+0AFA); punctuation with 8.0 (U+A8FC), 9.0 (U+2E43) and 14.0 (U+061D).
        UnicodeTables tables = UnicodeTables.Shared;
        Assert.Equal((true, false), (tables.Marks.Contains(0x8D4), tables.Marks.Contains(0xAFA)));
        Assert.Equal((true, false), (tables.NonSpacingMarks.Contains(0x301), tables.NonSpacingMarks.Contains(0x8D4)));
        Assert.Equal((true, false, false), (tables.Punctuation.Contains(0xA8FC), tables.Punctuation.Contains(0x2E43), tables.Punctuation.Contains(0x61D)));
        Assert.All("$+<=>^`|~", c => Assert.True(tables.Punctuation.Contains(c)));
    }
}
