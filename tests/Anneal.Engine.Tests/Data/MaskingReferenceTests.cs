using System.Text.Json.Nodes;
using Anneal.Engine.Data;
using Anneal.Engine.Tests.Architectures;
using Anneal.Engine.Text;

namespace Anneal.Engine.Tests.Data;

/// <summary>Chats as tokens and weights, against what transformers and the tokenizers library make of the same files.</summary>
public sealed class MaskingReferenceTests
{
    public static TheoryData<string> Folders() => ReferenceCase.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task Text_ids_and_weights_of_every_chat_are_those_of_the_reference(string folder)
    {
        string data = Path.Combine(folder, "expected", "chat.jsonl");
        Assert.SkipUnless(File.Exists(data), $"{Path.GetFileName(folder)} has no expected/chat.jsonl");
        Assert.SkipUnless(File.Exists(Path.Combine(folder, "tokenizer.json")), $"{Path.GetFileName(folder)} has no tokenizer.json");
        ModelText text = ModelText.Load(folder);
        await using FileStream stream = File.OpenRead(data);
        ChatFileContents file = await ChatFile.LoadAsync(stream);
        Assert.Empty(file.Faults);
        JsonArray expected = new ReferenceCase(folder)["chat"]["examples"]!.AsArray();
        Assert.Equal(expected.Count, file.Examples.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            TokenizedExample example = Masking.Tokenize(file.Examples[i], text, int.MaxValue, out string rendered);
            Assert.Equal((string)expected[i]!["rendered"]!, rendered);
            Assert.Equal(expected[i]!["ids"]!.AsArray().Select(n => (int)n!), example.Ids);
            Assert.Equal(expected[i]!["weights"]!.AsArray().Select(n => (float)n!), example.Weights);
            Assert.Equal(example.Ids.Length, example.OriginalLength);
        }
    }
}
