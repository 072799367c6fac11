namespace Anneal.Api.Tests;

/// <summary>The system's clock, moved forward by hand. Timers run at their normal speed.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private TimeSpan _shift;

    public void Advance(TimeSpan by) => _shift += by;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _shift;
}
