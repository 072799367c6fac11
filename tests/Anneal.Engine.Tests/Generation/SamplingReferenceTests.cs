namespace Anneal.Engine.Tests.Generation;

public sealed class SamplingReferenceTests
{
    [Fact]
    public void Probabilities_agree_with_every_reference_case()
    {
        string? reference = Environment.GetEnvironmentVariable("ANNEAL_REFERENCE");
        string file = Path.Combine(reference ?? "", "methods", "sampling", "cases.json");
        if (reference is null || !File.Exists(file))
        {
            Assert.Skip("No methods/sampling in ANNEAL_REFERENCE.");
        }

        SamplerTests.CheckCases(file);
    }
}
