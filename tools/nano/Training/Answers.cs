using System.Text;
using Anneal.Engine.Architectures;
using Anneal.Engine.Compute;
using Anneal.Engine.Generation;
using Anneal.Engine.Text;
using Anneal.Nano.Corpus;

namespace Anneal.Nano.Training;

/// <summary>Greedy answers to a fixed set of prompts, for people to read.</summary>
internal static class Answers
{
    /// <summary>The prompts of the model card: one or two of each sort, in words that no pattern of the corpus fixes entirely.</summary>
    public static IReadOnlyList<string> Prompts { get; } =
    [
        "What is the capital of France?",
        "Which language is spoken in Brazil?",
        "Where does a farmer work?",
        "What is an invoice?",
        "What is 27 + 48?",
        "Anna has 12 apples. She gives 5 to Tom. How many apples does Anna have left?",
        "Name three vegetables.",
        "What is the opposite of \"cheap\"?",
        "Sort these words alphabetically: pear, apple, melon",
        "Write this list as a JSON array: red, green, blue",
        "Extract name and city from the text as JSON: My name is Clara and I am 34 years old. I work as a baker in " +
            "Oslo.",
        "Is this review positive or negative? The lamp stopped working after two days.",
        "What is the topic of this text: sports, food or weather? The team won the match on Saturday.",
        "Make this sentence negative: Peter opened the box.",
        "Write a short email to thank Maria for the vase. Sign it as Leo.",
        "Write a short story about Nina and the golden key.",
        "What did I eat for breakfast?",
        "Book a flight to Rome.",
        "Hello! My name is Ben.",
    ];

    /// <summary>The model's greedy answer to each prompt, alone in its chat.</summary>
    public static async Task<IReadOnlyList<(string Prompt, string Answer)>> Of(
        BaseModel model, ICompute compute, Tokenizer tokenizer, IReadOnlyList<string> prompts)
    {
        HashSet<int> stops = [tokenizer.TokenToId(TokenizerFiles.TurnEnd)!.Value,
            tokenizer.TokenToId(TokenizerFiles.EndOfText)!.Value];
        CorpusStream text = new(tokenizer, 0);
        List<(string, string)> answers = [];
        await using Generator generator = new(model, tokenizer, stops, compute);
        foreach (string prompt in prompts)
        {
            StringBuilder answer = new();
            GenerationRequest request = new()
            {
                PromptIds = text.Prompt([new Turn("user", prompt)]),
                MaxNewTokens = 160,
                Sampling = new SamplingOptions { Temperature = 0 },
            };
            await foreach (GeneratedToken token in generator.GenerateAsync(request))
            {
                answer.Append(token.Text);
            }
            answers.Add((prompt, answer.ToString()));
        }
        return answers;
    }
}
