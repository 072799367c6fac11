namespace Anneal.Engine.Text.Jinja;

/// <summary>What Jinja finds out when it compiles a template, before anything is rendered.</summary>
internal static class TemplateChecks
{
    /// <exception cref="TemplateSyntaxException">
    /// A <c>break</c> outside a loop, a loop that assigns to <c>loop</c>, a filter or test that does not exist where it
    /// would certainly be used.
    /// </exception>
    public static void Run(IEnumerable<Statement> body)
    {
        foreach (Statement statement in body)
        {
            Check(statement, inLoop: false, isConditional: false);
        }
    }

    // Inside "if" an unknown filter is an error only when it is reached. A loop, macro or block begins anew.
    private static void Check(Node? node, bool inLoop, bool isConditional)
    {
        Budget.EnsureStack();
        switch (node)
        {
            case null:
                return;
            case ForStatement loop:
                CheckLoop(loop, inLoop, isConditional);
                return;
            case LoopControl control when !inLoop:
                throw new TemplateSyntaxException($"'{control.Keyword}' outside loop", control.Line);
            case FilterExpression filter when !isConditional && !Filters.Exists(filter.FilterName):
                throw new TemplateSyntaxException($"No filter named '{filter.FilterName}'.", filter.Line, isAssertion: true);
            case TestExpression test when !isConditional && !Tests.Exists(test.TestName):
                throw new TemplateSyntaxException($"No test named '{test.TestName}'.", test.Line, isAssertion: true);
        }

        bool isFunction = node is MacroStatement or CallBlock or GenerationBlock or BlockStatement;
        bool isScope = isFunction || node is WithStatement or SetBlock or FilterBlock or AutoEscapeStatement;
        bool conditional = node is IfStatement or ConditionalExpression || (isConditional && !isScope);
        foreach (Node? child in node.Children)
        {
            Check(child, inLoop && !isFunction, conditional);
        }
    }

    private static void CheckLoop(ForStatement loop, bool inLoop, bool isConditional)
    {
        if (Targets(loop.Target).Any(t => t.Id == "loop"))
        {
            throw new TemplateSyntaxException("Can't assign to special loop variable in for-loop target", loop.Line, isAssertion: true);
        }

        Check(loop.Source, inLoop, isConditional);
        Check(loop.Filter, inLoop: false, isConditional: false);
        foreach (Statement statement in loop.Body)
        {
            Check(statement, inLoop: true, isConditional: false);
        }

        foreach (Statement statement in loop.Otherwise)
        {
            Check(statement, inLoop, isConditional: false);
        }
    }

    private static IEnumerable<Name> Targets(Expression target) => target switch
    {
        Name name => [name],
        TupleLiteral tuple => tuple.Items.SelectMany(Targets),
        _ => [],
    };
}
