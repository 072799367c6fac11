using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Text;

/// <summary>The text side of model folders in the layouts that are about.</summary>
public sealed class ModelTextTests
{
    private static readonly string Fixture = Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", "llama");

    private const string ChatMl =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    [Fact]
    public void A_folder_gives_tokenizer_template_and_tokens()
    {
        ModelText text = ModelText.Load(Fixture);
        Assert.Equal(("<|endoftext|>", "<|im_end|>", "<|endoftext|>"), (text.SpecialTokens.Bos, text.SpecialTokens.Eos, text.SpecialTokens.Pad));
        Assert.Equal((0, 2, 0), (text.SpecialTokens.BosId, text.SpecialTokens.EosId, text.SpecialTokens.PadId));
        Assert.Equal([2], text.StopIds);
        Assert.True(text.HasTemplate);
        Assert.Same(text.Template, text.TemplateFor(withTools: true));
    }

    [Fact]
    public void A_missing_tokenizer_is_named()
    {
        using TemporaryFolder folder = new();
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => ModelText.Load(folder.Path));
        Assert.StartsWith("Missing tokenizer: ", e.Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.json", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_chat_template_is_an_error_only_when_it_is_needed()
    {
        using TemporaryFolder folder = Folder();
        ModelText text = ModelText.Load(folder.Path);
        Assert.False(text.HasTemplate);
        Assert.StartsWith("No chat template: ", Assert.Throws<InvalidDataException>(() => text.Template).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokens_may_be_objects_and_stop_ids_lists()
    {
        using TemporaryFolder folder = Folder(
            ("tokenizer_config.json", """{"bos_token": {"content": "<|endoftext|>", "lstrip": false}, "eos_token": null}"""),
            ("special_tokens_map.json", """{"eos_token": "<|im_end|>"}"""),
            ("generation_config.json", """{"eos_token_id": [5, 2]}"""),
            ("config.json", """{"eos_token_id": 7}"""));
        ModelText text = ModelText.Load(folder.Path);
        Assert.Equal(("<|endoftext|>", 2), (text.SpecialTokens.Bos, text.SpecialTokens.EosId));
        Assert.Equal([5, 2, 7], text.StopIds);
        Assert.Equal("<|im_end|>", (string?)text.SpecialTokens.TemplateVariables["eos_token"]);
        Assert.False(text.SpecialTokens.TemplateVariables.ContainsKey("pad_token"));
    }

    [Fact]
    public void The_token_that_ends_the_templates_turns_is_a_stop_token_too()
    {
        using TemporaryFolder folder = Folder(
            ("tokenizer_config.json", """{"eos_token": "<|endoftext|>"}"""), ("chat_template.jinja", ChatMl));
        Assert.Equal([0, 2], ModelText.Load(folder.Path).StopIds);
    }

    [Fact]
    public void Templates_come_from_four_places_and_the_file_of_its_own_wins()
    {
        using TemporaryFolder folder = Folder(
            ("tokenizer_config.json", """{"chat_template": [{"name": "default", "template": "config"}, {"name": "tool_use", "template": "tools"}]}"""),
            ("chat_template.json", """{"chat_template": "processor"}"""));
        ModelText text = ModelText.Load(folder.Path);
        Assert.Equal(("config", "tools"), (text.Template.Source, text.TemplateFor(withTools: true).Source));
        File.WriteAllText(Path.Combine(folder.Path, "chat_template.jinja"), "file\r\n");
        Directory.CreateDirectory(Path.Combine(folder.Path, "additional_chat_templates"));
        File.WriteAllText(Path.Combine(folder.Path, "additional_chat_templates", "tool_use.jinja"), "more");
        text = ModelText.Load(folder.Path);
        Assert.Equal(("file\r\n", "more"), (text.Template.Source, text.TemplateFor(withTools: true).Source));
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"chat_template": "{% if %}"}""", "tokenizer_config.json")]
    [InlineData("tokenizer_config.json", """{"chat_template": 5}""", "chat_template")]
    [InlineData("tokenizer_config.json", "[", "tokenizer_config.json")]
    [InlineData("chat_template.jinja", "{{ nosuch( }}", "chat_template.jinja")]
    [InlineData("generation_config.json", """{"eos_token_id": "x"}""", "generation_config.json")]
    public void A_faulty_file_is_named(string file, string content, string named)
    {
        using TemporaryFolder folder = Folder((file, content));
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => ModelText.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static TemporaryFolder Folder(params (string Name, string Content)[] files)
    {
        TemporaryFolder folder = new();
        File.Copy(Path.Combine(Fixture, "tokenizer.json"), Path.Combine(folder.Path, "tokenizer.json"));
        foreach ((string name, string content) in files)
        {
            File.WriteAllText(Path.Combine(folder.Path, name), content);
        }

        return folder;
    }
}
