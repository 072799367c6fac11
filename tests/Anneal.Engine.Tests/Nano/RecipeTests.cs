using System.Text.Json.Nodes;
using Anneal.Engine.Data;
using Anneal.Engine.Text;
using Anneal.Nano.Corpus;
using Anneal.Nano.Training;
using Xunit;

namespace Anneal.Engine.Tests.Nano;

/// <summary>The recipe of the bundled model, on a corpus of a few documents.</summary>
public sealed class RecipeTests
{
    [Fact]
    public void A_stopped_run_goes_on_from_its_state_and_ends_with_the_same_weights()
    {
        using TemporaryFolder folder = new();
        PretrainingOptions straight = Options(folder.File("straight"));
        PretrainingOptions stopped = Options(folder.File("stopped"));

        Pretraining.Run(straight, TextWriter.Null);
        using CancellationTokenSource stop = new();
        using StoppingLog log = new("chapter 1 step 2/", stop);
        Assert.ThrowsAny<OperationCanceledException>(() => Pretraining.Run(stopped, log, stop.Token));
        Assert.True(File.Exists(Path.Combine(stopped.Work, "chapter-1.state")));
        using StringWriter second = new();
        Pretraining.Run(stopped, second);

        Assert.Contains("chapter 1 step 3/", second.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("chapter 1 step 2/", second.ToString(), StringComparison.Ordinal);
        foreach (string name in (string[])["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(straight.Out, name)), File.ReadAllBytes(Path.Combine(stopped.Out, name)));
        }
        Assert.InRange(new FileInfo(Path.Combine(straight.Out, "model.safetensors")).Length, 10_000_000, 20_000_000);
    }

    [Fact]
    public void The_engine_reads_the_trained_tokenizer_and_gets_every_text_back()
    {
        using TemporaryFolder folder = new();
        Tokenizer tokenizer = Train(folder.Path).Tokenizer;

        Assert.Equal(NanoModel.VocabularySize, tokenizer.VocabularySize);
        foreach (string text in (string[])["Hello, world!", "{\"a\": [1, 2.5]}\n\n  x", "Zürich 東京 🚲\tend ", "don't\r\nstop"])
        {
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
        Assert.Equal(4, tokenizer.Encode("2025").Length);
        Assert.Single(tokenizer.Encode(" password"));
    }

    [Fact]
    public void Pre_training_sees_chats_just_as_tuning_renders_them()
    {
        using TemporaryFolder folder = new();
        ModelText text = Train(folder.Path);
        CorpusStream corpus = new(text.Tokenizer, 1);
        int chats = 0;
        for (ulong i = 0; i < 200; i++)
        {
            Document document = Composer.Make(1, i);
            if (document.Turns[0].Role == "text")
            {
                continue;
            }
            JsonArray messages = [.. document.Turns.Select(t => (JsonNode)new JsonObject { ["role"] = t.Role, ["content"] = t.Content })];
            TokenizedExample tuned = Masking.Tokenize(new ChatExample(1, messages, null), text, NanoModel.ContextLength, out _);
            TokenizedExample trained = corpus.Example(i, answersOnly: true);

            // The template puts a line end behind the last turn too.
            int common = Math.Min(trained.OriginalLength, NanoModel.ContextLength);
            Assert.Equal(trained.Ids, tuned.Ids[..common]);
            Assert.Equal(trained.Weights, tuned.Weights[..common]);
            Assert.All(tuned.Weights[common..], weight => Assert.Equal(0, weight));
            chats++;
        }

        Assert.True(chats > 150, $"only {chats} chats");
    }

    // Tokenizer, template and configuration as the recipe writes them, without training anything else.
    private static ModelText Train(string folder)
    {
        BpeTrainer trainer = new();
        for (ulong i = 0; i < 4000; i++)
        {
            foreach (Turn turn in Composer.Make(1, i).Turns)
            {
                trainer.Add(turn.Role + "\n");
                trainer.Add(turn.Content);
            }
        }
        TokenizerFiles.Write(
            folder, trainer.Train(NanoModel.VocabularySize - 256 - TokenizerFiles.Special.Length), NanoModel.ContextLength);
        TokenizerFiles.Save(folder, "config.json", NanoModel.Config());
        TokenizerFiles.Save(folder, "generation_config.json", NanoModel.GenerationConfig());
        return ModelText.Load(folder);
    }

    private static PretrainingOptions Options(string folder) => new()
    {
        Work = Path.Combine(folder, "work"),
        Out = Path.Combine(folder, "model"),
        Chapters = 1,
        ChapterDocuments = 8,
        LastDocuments = 4,
        DocumentsPerStep = 2,
        TokenizerDocuments = 4000,
        HeldOutDocuments = 2,
        LogInterval = 1,
        StateInterval = TimeSpan.Zero,
        Threads = 1,
    };

    // Asks for a stop when a line of the log begins with certain words.
    private sealed class StoppingLog(string words, CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(words, StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
