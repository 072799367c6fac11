using System.Runtime.CompilerServices;

namespace Anneal.Api.Tests.Cli;

/// <summary>Screens kept as files beside the tests. <c>UPDATE_GOLDEN=1</c> writes them anew.</summary>
internal static class Golden
{
    public static void Check(string name, string text, [CallerFilePath] string caller = "")
    {
        string path = Path.Combine(Path.GetDirectoryName(caller)!, "Golden", name);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        Assert.True(File.Exists(path), $"{path} is missing; UPDATE_GOLDEN=1 writes it.");
        Assert.Equal(File.ReadAllText(path), text);
    }

    /// <summary>Every line fits a terminal of 80 columns.</summary>
    public static void Fits(string text) =>
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 80, $"{line.Length} columns: {line}"));
}
