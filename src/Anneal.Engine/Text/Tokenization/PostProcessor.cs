using System.Text.Json;

namespace Anneal.Engine.Text.Tokenization;

/// <summary>Puts special tokens around what was encoded.</summary>
internal sealed class PostProcessor
{
    private readonly IReadOnlyList<IReadOnlyList<Piece>> _steps;

    private PostProcessor(IReadOnlyList<IReadOnlyList<Piece>> steps) => _steps = steps;

    /// <summary>Reads a post-processor. Those that only change offsets or deal with pairs have nothing to do here.</summary>
    public static PostProcessor Read(Fields section)
    {
        List<IReadOnlyList<Piece>> steps = [];
        ReadInto(section, steps);
        return new PostProcessor(steps);
    }

    /// <summary>Adds the tokens of a text, with or without the special tokens around it.</summary>
    public TokenBuffer Apply(TokenBuffer tokens, bool addSpecialTokens)
    {
        foreach (IReadOnlyList<Piece> template in _steps)
        {
            TokenBuffer next = new();
            foreach (Piece piece in template)
            {
                if (piece.Ids is null)
                {
                    next.AddStored(tokens.Stored(0));
                    continue;
                }

                foreach (int id in addSpecialTokens ? piece.Ids : [])
                {
                    next.Add(id, 0, 0);
                }
            }

            tokens = next;
        }

        return tokens;
    }

    private static void ReadInto(Fields section, List<IReadOnlyList<Piece>> steps)
    {
        string type = section.Text("type");
        switch (type)
        {
            case "ByteLevel":
                // Its only work is to take white space off offsets; here offsets cover all that a token stands for.
                break;
            case "TemplateProcessing":
                steps.Add([.. ReadTemplate(section)]);
                break;
            case "BertProcessing" or "RobertaProcessing":
                steps.Add([new Piece([ReadPair(section, "cls")]), new Piece(null), new Piece([ReadPair(section, "sep")])]);
                break;
            case "Sequence":
                foreach ((JsonElement value, string path) in section.Items("processors"))
                {
                    ReadInto(new Fields(value, path), steps);
                }

                break;
            default:
                throw new InvalidDataException($"{section.Path}: the post-processor \"{type}\" is not supported.");
        }
    }

    private static IEnumerable<Piece> ReadTemplate(Fields section)
    {
        Fields special = section.Object("special_tokens");
        foreach ((JsonElement value, string path) in section.Items("single"))
        {
            Fields piece = new(value, path);
            if (piece.Find("Sequence") is not null)
            {
                string sequence = piece.Object("Sequence").Text("id");
                yield return sequence == "A"
                    ? new Piece(null)
                    : throw new InvalidDataException($"{path}: the sequence \"{sequence}\" has no place in a single text.");
                continue;
            }

            string name = piece.Object("SpecialToken").Text("id");
            yield return new Piece([.. special.Object(name).Items("ids").Select(i => Fields.NumberOf(i.Value, i.Path))]);
        }
    }

    private static int ReadPair(Fields section, string name)
    {
        JsonElement pair = section.Get(name);
        string path = $"{section.Path}.{name}";
        return pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2
            ? Fields.NumberOf(pair[1], path)
            : throw new InvalidDataException($"{path} must be a token and its id.");
    }

    /// <summary>Special tokens, or (null) the text itself.</summary>
    private sealed record Piece(int[]? Ids);
}
