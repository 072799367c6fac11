using System.CommandLine;
using System.Globalization;
using Anneal.Engine.Compute;

namespace Anneal.Cli.Commands;

/// <summary>Options that every verb of the engine has.</summary>
internal sealed class EngineOptions
{
    // What a run may take unless told otherwise; on smaller machines three quarters of what there is.
    private const long StandardMemoryBytes = 4_000_000_000;

    /// <summary><c>--precision</c>: of the arithmetic.</summary>
    public Option<string> Precision { get; } = new("--precision")
    {
        Description = "Precision of the arithmetic: fp32.",
        HelpName = "fp32",
        DefaultValueFactory = _ => "fp32",
    };

    /// <summary><c>--threads</c>.</summary>
    public Option<int> Threads { get; } = Number("--threads", "Threads; 0 for one a processor.", 0, 0);

    /// <summary><c>--memory</c>: in GB of 10⁹ bytes.</summary>
    public Option<double?> Memory { get; } = new("--memory")
    {
        Description = "Memory that the run may take, in GB; default 4, or three quarters of the machine's.",
        HelpName = "GB",
    };

    /// <summary>An option that is a whole number with a smallest value.</summary>
    public static Option<int> Number(string name, string description, int standard, int least)
    {
        var option = new Option<int>(name)
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"{description} Default {standard}."),
            DefaultValueFactory = _ => standard,
            HelpName = "N",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < least)
            {
                result.AddError($"{name} is {value}; at least {least} is wanted.");
            }
        });
        return option;
    }

    /// <summary>An option with a few possible words.</summary>
    public static Option<string> Choice(string name, string description, string standard, params string[] values)
    {
        var option = new Option<string>(name)
        {
            Description = $"{description} {string.Join(" or ", values)}. Default {standard}.",
            DefaultValueFactory = _ => standard,
            HelpName = string.Join('|', values),
        };
        option.AcceptOnlyFromAmong(values);
        return option;
    }

    /// <summary>Refuses arithmetic that there is not.</summary>
    /// <exception cref="UsageException">Another precision than fp32.</exception>
    public void RequirePrecision(ParseResult parsed)
    {
        if (parsed.GetValue(Precision) is string other && other != "fp32")
        {
            throw new UsageException($"--precision {other} is not supported; fp32 is.");
        }
    }

    /// <summary>How to compute.</summary>
    public ComputeOptions Compute(ParseResult parsed) => new() { Threads = parsed.GetValue(Threads) };

    /// <summary>The memory limit in bytes.</summary>
    /// <exception cref="UsageException">It is not a positive number.</exception>
    public long MemoryBytes(ParseResult parsed)
    {
        if (parsed.GetValue(Memory) is not double gigabytes)
        {
            return Math.Min(StandardMemoryBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3);
        }

        return gigabytes is > 0 and < 1e6
            ? (long)(gigabytes * 1e9)
            : throw new UsageException($"--memory is {gigabytes.ToString(CultureInfo.InvariantCulture)}; a number of GB above 0 is wanted.");
    }
}
