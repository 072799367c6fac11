namespace Anneal.Server.Http;

/// <summary>
/// Collects everything that is wrong with one request, so that the user hears of all of it at once. The envelope has room for
/// one <c>param</c> and <c>code</c>: they are the first fault's; the message holds every fault, one sentence or two each.
/// </summary>
internal sealed class ApiFaults
{
    private readonly List<ApiError> _faults = [];

    /// <summary>True when nothing was found.</summary>
    public bool None => _faults.Count == 0;

    /// <summary>Adds a fault.</summary>
    public void Add(string message, string? param, string? code) => _faults.Add(ApiError.Bad(message, param, code));

    /// <summary>True when this parameter, or a part of it, already has a fault.</summary>
    public bool Has(string param) => _faults.Exists(fault =>
        fault.Param is not null && fault.Param.StartsWith(param, StringComparison.Ordinal)
        && (fault.Param.Length == param.Length || fault.Param[param.Length] is '.' or '['));

    /// <summary>All faults as one 400, or null when there are none.</summary>
    public ApiError? ToError() => _faults.Count switch
    {
        0 => null,
        1 => _faults[0],
        _ => _faults[0] with { Message = string.Join(' ', _faults.Select(fault => fault.Message).Distinct()) },
    };
}
