using System.Diagnostics;
using System.Text.Json.Nodes;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Text;

/// <summary>Limits, errors and other behaviour of chat templates beside the reference's cases.</summary>
public sealed class ChatTemplateTests
{
    [Theory]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}")]
    [InlineData("{% set ns = namespace(s=(1,)) %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}")]
    [InlineData("{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}")]
    [InlineData("{% set ns = namespace(s=[]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}")]
    [InlineData("{{ 'x' * 10000000000 }}")]
    [InlineData("{{ [0] * 10000000000 }}")]
    [InlineData("{{ 2 ** 10000000000 }}")]
    [InlineData("{% set ns = namespace(n=3) %}{% for i in range(40) %}{% set ns.n = ns.n * ns.n %}{% endfor %}")]
    [InlineData("{{ range(100001) }}")]
    [InlineData("{{ 'x'.center(1000000000) }}")]
    [InlineData("{{ 'x'.zfill(1000000000) }}")]
    [InlineData("{{ '%1000000000d' | format(1) }}")]
    [InlineData("{{ '%.1000000000f' | format(1) }}")]
    [InlineData("{{ '{:1000000000}'.format(1) }}")]
    [InlineData("{{ 'a' | indent(1000000000, true) }}")]
    [InlineData("{{ ('a' * 100000).replace('a', 'b' * 100000) }}")]
    [InlineData("{{ ('a' * 100000) | replace('', 'b' * 100000) }}")]
    [InlineData("{{ ('x' * 100000).join(range(100000) | map('string')) }}")]
    [InlineData("{{ [1] | batch(1000000000, 0) | list }}")]
    [InlineData("{{ [1] | tojson(indent=1000000000) }}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %}")]
    [InlineData("{{ ('\\t' * 10000).expandtabs(100000000) }}")]
    [InlineData("{% for i in range(100000) %}{{ range(100000) | sum }}{% endfor %}")]
    [InlineData("{% set s = 'x' * 10000000 %}{% for i in range(100000) %}{% if s.find('y') > 0 or s[1] == 'y' or s | length == 1 %}{% endif %}{% endfor %}")]
    [InlineData("{% for i in range(100000) %}{% if 7.5 in range(100000) %}{% endif %}{% endfor %}")]
    public void A_template_bomb_ends_with_a_clear_error_within_seconds(string source)
    {
        Stopwatch time = Stopwatch.StartNew();
        ChatTemplate template = ChatTemplate.Parse(source, TemplateLimits.Default with { MaxSteps = 2_000_000 });
        TemplateException e = Assert.Throws<TemplateException>(() => template.Render([], null, false, new Dictionary<string, JsonNode?>(), default));
        Assert.Equal(TemplateFault.Limit, e.Fault);
        Assert.StartsWith("Limit reached: ", e.Message, StringComparison.Ordinal);
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(60), $"It took {time.Elapsed}.");
    }

    [Fact]
    public void Nesting_that_no_stack_could_hold_is_an_error_and_not_a_crash()
    {
        Assert.ThrowsAny<Exception>(() => Render($"{{{{ {new string('(', 200_000)}1{new string(')', 200_000)} }}}}"));
        Assert.ThrowsAny<Exception>(() => Render($"{{{{ {string.Concat(Enumerable.Repeat("not ", 200_000))}1 }}}}"));
        Assert.ThrowsAny<Exception>(() => Render($"{{{{ 1{string.Concat(Enumerable.Repeat(" + 1", 200_000))} }}}}"));
        Assert.ThrowsAny<Exception>(() => Render(string.Concat(Enumerable.Repeat("{% if 1 %}", 100_000))));
        Assert.ThrowsAny<Exception>(() => Render($"{{{{ x{string.Concat(Enumerable.Repeat(".a", 200_000))} }}}}"));
    }

    [Theory]
    [InlineData("{{ ''.__class__.__mro__ }}")]
    [InlineData("{{ [].__class__.__base__.__subclasses__() }}")]
    [InlineData("{{ range.__globals__['x'] }}")]
    [InlineData("{{ messages.append(1) }}")]
    [InlineData("{{ messages[0].update({'role': 'x'}) }}")]
    [InlineData("{{ messages['append'](1) }}")]
    [InlineData("{{ (messages | attr('append'))(1) }}")]
    [InlineData("{{ '{0.__class__.__mro__}'.format('x') }}")]
    [InlineData("{{ ('{0.__class__.__mro__}' | attr('format'))('x') }}")]
    [InlineData("{{ messages | map(attribute='__class__.__mro__') | list }}")]
    public void The_sandbox_hides_what_is_not_data(string source) =>
        Assert.Equal(TemplateFault.Security, Assert.Throws<TemplateException>(() => Render(source)).Fault);

    [Fact]
    public void A_fault_says_on_which_line_of_the_template_it_happened()
    {
        TemplateException e = Assert.Throws<TemplateException>(() => Render("a\n{% if true %}\n{{ 1 + 'x' }}\n{% endif %}"));
        Assert.Equal((TemplateFault.Type, 3), (e.Fault, e.TemplateLine));
        TemplateSyntaxException s = Assert.Throws<TemplateSyntaxException>(() => ChatTemplate.Parse("a\n\n{% nosuch %}"));
        Assert.Equal(3, s.Line);
    }

    [Theory]
    [InlineData("{{ lipsum() }}", "lipsum")]
    [InlineData("{{ 'www.x.org' | urlize }}", "urlize")]
    [InlineData("{{ (-8) ** 0.5 }}", "complex")]
    public void What_is_not_supported_is_named(string source, string what)
    {
        TemplateException e = Assert.Throws<TemplateException>(() => Render(source));
        Assert.Equal(TemplateFault.Unsupported, e.Fault);
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ 1.0 }} {{ 1e16 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ 0.1 + 0.2 }}", "1.0 1e+16 5e-324 1.7976931348623157e+308 0.30000000000000004")]
    [InlineData("{{ 2.675 | round(2) }} {{ 0.5 | round }} {{ 1.5 | round }} {{ 12345 | round(-2) }}", "2.67 0.0 2.0 12300")]
    [InlineData("{{ '%.2f %.0f %e %g' | format(0.125, 0.5, 12345.678, 0.00001) }}", "0.12 0 1.234568e+04 1e-05")]
    [InlineData("{{ 10 ** 30 // 7 }} {{ (10 ** 30) / (10 ** 29) }} {{ -7 // 2 }} {{ -7 % 3 }}", "142857142857142857142857142857 10.0 -4 2")]
    [InlineData("{{ 'ΑΣ ΟΔΟΣ'.lower() }} {{ 'ǆ'.title() }} {{ 'İ'.lower() | length }}", "ας οδος ǅ 2")]
    [InlineData("{{ '😀é' | length }}{{ '😀é'[1:] }}{{ '😀é'.find('é') }}", "2é1")]
    [InlineData("{{ {1: 'a', 1.0: 'b', true: 'c'} }} {{ 1 in {true: 0} }}", "{1: 'c'} True")]
    [InlineData("{% for i in [1, 2] %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% break %}{% else %}none{% endfor %}", "2none")]
    public void Numbers_text_and_loops_are_pythons(string source, string expected) => Assert.Equal(expected, Render(source));

    [Fact]
    public void The_clock_is_the_callers() => Assert.Equal(
        "Thu 05 Mar 2026, 5 Mar, 14:07, 2:07 PM",
        Render("{{ strftime_now('%a %d %b %Y, %-d %b, %H:%M, %-I:%M %p') }}", new DateTimeOffset(2026, 3, 5, 14, 7, 9, TimeSpan.FromHours(5))));

    [Fact]
    public void Messages_are_not_changed_by_rendering()
    {
        JsonArray messages = JsonNode.Parse("""[{"role":"assistant","content":"x","reasoning":"y"}]""")!.AsArray();
        string before = messages.ToJsonString();
        ChatTemplate template = ChatTemplate.Parse("{{ messages[0].thinking }}{{ messages[0].reasoning_content }}{{ messages[0] | list }}");
        Assert.Equal("yy['thinking', 'role', 'content', 'reasoning', 'reasoning_content']", template.Render(messages, null, false, new Dictionary<string, JsonNode?>(), default).Text);
        Assert.Equal(before, messages.ToJsonString());
    }

    private static string Render(string source, DateTimeOffset now = default)
    {
        JsonArray messages = JsonNode.Parse("""[{"role":"user","content":"x"}]""")!.AsArray();
        return ChatTemplate.Parse(source).Render(messages, null, false, new Dictionary<string, JsonNode?>(), now).Text;
    }
}
