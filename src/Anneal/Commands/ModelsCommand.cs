using System.CommandLine;
using Anneal.Cli.Terminal;
using Anneal.Client;

namespace Anneal.Cli.Commands;

/// <summary><c>anneal models</c>: base and tuned models on the server.</summary>
internal static class ModelsCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create(Shell shell) =>
        Verb.Group("models", "Base and tuned models on the server.", List(shell), Retrieve(shell), Delete(shell));

    private static Command List(Shell shell)
    {
        var tuned = new Option<bool>("--tuned") { Description = "Only models that jobs have made." };
        var quiet = new Option<bool>("--quiet") { Description = "Print names only." };
        Option<bool> json = Verb.Json();
        return Verb.Of("list", "List models, newest first.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            List<Model> models = await client.Models.ListAsync(cancellation)
                .Where(model => model.IsTuned || !parsed.GetValue(tuned))
                .OrderByDescending(model => model.Created).ToListAsync(cancellation);
            var listing = new Listing("created", "name");
            foreach (Model model in models)
            {
                if (parsed.GetValue(json))
                {
                    Verb.WriteJson(shell, model, ClientJson.Default.Model);
                }
                else if (parsed.GetValue(quiet))
                {
                    shell.Out.WriteLine(model.Id);
                }
                else
                {
                    listing.Add(Format.Brief(model.Created, shell.Time), model.Id);
                }
            }

            if (!parsed.GetValue(json) && !parsed.GetValue(quiet))
            {
                listing.Write(shell, $"No models. Tune one with: {shell.Command} jobs create");
            }

            return Root.Done;
        }, tuned, quiet, json);
    }

    private static Command Retrieve(Shell shell)
    {
        Argument<string> name = Name();
        Option<bool> json = Verb.Json();
        return Verb.Of("retrieve", "Show a model.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            Model model = await client.Models.RetrieveAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(json))
            {
                Verb.WriteJson(shell, model, ClientJson.Default.Model);
            }
            else
            {
                shell.Out.WriteLine($"{model.Id}  {Format.Moment(model.Created, shell.Time)}  {model.OwnedBy}");
            }

            return Root.Done;
        }, name, json);
    }

    private static Command Delete(Shell shell)
    {
        Argument<string> name = Name();
        Option<bool> json = Verb.Json();
        return Verb.Of("delete", "Delete a tuned model.", shell, async (parsed, cancellation) =>
        {
            using AnnealClient client = Verb.Client(shell);
            Deletion deletion = await client.Models.DeleteAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(json))
            {
                Verb.WriteJson(shell, deletion, ClientJson.Default.Deletion);
            }
            else
            {
                shell.Out.WriteLine($"{deletion.Id} is deleted.");
            }

            return Root.Done;
        }, name, json);
    }

    private static Argument<string> Name() => new("model") { Description = "The model's name." };
}
