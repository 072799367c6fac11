namespace Anneal.Engine.Text.Jinja;

/// <summary>Builds the statements of a template from its tokens. Expressions are in the other part of the class.</summary>
internal sealed partial class Parser
{
    private readonly List<Token> _tokens;
    private readonly Stack<string> _openTags = new();
    private readonly Stack<string[]> _awaited = new();
    private readonly HashSet<string> _blocks = [];
    private int _at;

    private Parser(List<Token> tokens)
    {
        _tokens = tokens;
    }

    private Token Current => _tokens[_at];

    /// <exception cref="TemplateSyntaxException">The template is not valid.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        Parser parser = new(Lexer.Read(source));
        List<Statement> body = parser.ParseBody(null);
        TemplateChecks.Run(body);
        return body;
    }

    // Statements up to one of the end tags, which stays the current token; without end tags, up to the end.
    private List<Statement> ParseBody(string[]? endTags)
    {
        CheckDepth();
        List<Statement> body = [];
        if (endTags is not null)
        {
            _awaited.Push(endTags);
        }

        while (Current.Kind != TokenKind.End)
        {
            Token token = Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new TextStatement(token.Text, token.Line));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new PrintStatement([ParseTuple()], token.Line));
                    Expect(TokenKind.VariableEnd);
                    break;
                default:
                    if (endTags is not null && Current.Kind == TokenKind.Name && endTags.Contains(Current.Text))
                    {
                        _awaited.Pop();
                        return body;
                    }

                    body.Add(ParseStatement());
                    Expect(TokenKind.BlockEnd);
                    break;
            }
        }

        if (endTags is not null)
        {
            throw UnknownTag(null);
        }

        return body;
    }

    // The body of a tag: from the tag's end to one of the end tags. Gives the end tag, and steps over it.
    private List<Statement> ParseTagBody(out string endTag, params string[] endTags)
    {
        SkipOperator(":");
        Expect(TokenKind.BlockEnd);
        List<Statement> body = ParseBody(endTags);
        endTag = Next().Text;
        return body;
    }

    private List<Statement> ParseTagBody(string endTag) => ParseTagBody(out _, endTag);

    private Statement ParseStatement()
    {
        Token tag = Current;
        if (tag.Kind != TokenKind.Name)
        {
            throw Fail("tag name expected");
        }

        _openTags.Push(tag.Text);
        Statement? statement = tag.Text switch
        {
            "for" => ParseFor(),
            "if" => ParseIf(),
            "set" => ParseSet(),
            "macro" => ParseMacro(),
            "call" => ParseCallBlock(),
            "filter" => ParseFilterBlock(),
            "with" => ParseWith(),
            "generation" => ParseGeneration(),
            "block" => ParseBlock(),
            "print" => ParsePrint(),
            "autoescape" => ParseAutoEscape(),
            "include" or "import" or "from" or "extends" => ParseLoader(),
            "break" => new LoopControl(Flow.Break, Next().Line),
            "continue" => new LoopControl(Flow.Continue, Next().Line),
            _ => null,
        };
        _openTags.Pop();
        return statement ?? throw UnknownTag(tag.Text);
    }

    private ForStatement ParseFor()
    {
        int line = Next().Line;
        Expression target = ParseTarget(endName: "in");
        ExpectName("in");
        Expression items = ParseTuple(withCondition: false, endName: "recursive");
        Expression? filter = SkipName("if") ? ParseExpression() : null;
        bool recursive = SkipName("recursive");
        List<Statement> body = ParseTagBody(out string end, "endfor", "else");
        List<Statement> otherwise = end == "else" ? ParseTagBody("endfor") : [];
        return new ForStatement(target, items, filter, recursive, body, otherwise, line);
    }

    private IfStatement ParseIf()
    {
        int line = Current.Line;
        List<(Expression, IReadOnlyList<Statement>)> branches = [];
        string end;
        do
        {
            Next();
            Expression test = ParseTuple(withCondition: false);
            branches.Add((test, ParseTagBody(out end, "elif", "else", "endif")));
            if (end == "elif")
            {
                _at--;
            }
        }
        while (end == "elif");
        return new IfStatement(branches, end == "else" ? ParseTagBody("endif") : [], line);
    }

    private Statement ParseSet()
    {
        int line = Next().Line;
        Expression target = ParseTarget(withNamespace: true);
        if (SkipOperator("="))
        {
            return new SetStatement(target, ParseTuple(), line);
        }

        FilterExpression? filter = (FilterExpression?)ParseFilters(null);
        return new SetBlock(target, filter, ParseTagBody("endset"), line);
    }

    private MacroStatement ParseMacro()
    {
        int line = Next().Line;
        string name = ParseNameTarget().Id;
        (List<Name> parameters, List<Expression> defaults) = ParseSignature();
        return new MacroStatement(NewMacro(name, parameters, defaults, ParseTagBody("endmacro"), line), line);
    }

    private CallBlock ParseCallBlock()
    {
        int line = Next().Line;
        (List<Name> parameters, List<Expression> defaults) = Current.Is(TokenKind.Operator, "(") ? ParseSignature() : ([], []);
        Expression expression = ParseExpression();
        CallExpression call = expression as CallExpression ?? throw Fail("expected call", line);
        return new CallBlock(call, NewMacro(null, parameters, defaults, ParseTagBody("endcall"), line), line);
    }

    private static MacroDefinition NewMacro(string? name, List<Name> parameters, List<Expression> defaults, List<Statement> body, int line)
    {
        MacroDefinition macro = new(name, parameters, defaults, body, line);
        int caller = parameters.FindIndex(p => p.Id == "caller");
        if (macro.UsesCaller && caller >= 0 && macro.DefaultOf(caller) is null)
        {
            throw new TemplateSyntaxException(
                "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.", line, isAssertion: true);
        }

        return macro;
    }

    private (List<Name> Parameters, List<Expression> Defaults) ParseSignature()
    {
        List<Name> parameters = [];
        List<Expression> defaults = [];
        ExpectOperator("(");
        while (!Current.Is(TokenKind.Operator, ")"))
        {
            if (parameters.Count > 0)
            {
                ExpectOperator(",");
            }

            Name parameter = ParseNameTarget();
            if (parameters.Exists(p => p.Id == parameter.Id))
            {
                throw Fail($"duplicate argument '{parameter.Id}' in function definition", parameter.Line);
            }

            if (SkipOperator("="))
            {
                defaults.Add(ParseExpression());
            }
            else if (defaults.Count > 0)
            {
                throw Fail("non-default argument follows default argument");
            }

            parameters.Add(parameter);
        }

        ExpectOperator(")");
        return (parameters, defaults);
    }

    private FilterBlock ParseFilterBlock()
    {
        int line = Next().Line;
        FilterExpression filter = (FilterExpression)ParseFilters(ParseFilter(null))!;
        return new FilterBlock(filter, ParseTagBody("endfilter"), line);
    }

    private WithStatement ParseWith()
    {
        int line = Next().Line;
        List<(Expression, Expression)> variables = [];
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (variables.Count > 0)
            {
                ExpectOperator(",");
            }

            Expression target = ParseTarget();
            ExpectOperator("=");
            variables.Add((target, ParseExpression()));
        }

        return new WithStatement(variables, ParseTagBody("endwith"), line);
    }

    private GenerationBlock ParseGeneration()
    {
        int line = Next().Line;
        return new GenerationBlock(ParseTagBody("endgeneration"), line);
    }

    private BlockStatement ParseBlock()
    {
        int line = Next().Line;
        string name = Expect(TokenKind.Name).Text;
        bool scoped = SkipName("scoped");
        bool required = SkipName("required");
        if (Current.Is(TokenKind.Operator, "-"))
        {
            throw Fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.");
        }

        List<Statement> body = ParseTagBody("endblock");
        if (required && !body.TrueForAll(s => s is TextStatement text && text.Text.All(PythonText.IsSpace)))
        {
            throw Fail("Required blocks can only contain comments or whitespace");
        }

        SkipName(name);
        if (!_blocks.Add(name))
        {
            throw new TemplateSyntaxException($"block '{name}' defined twice", line, isAssertion: true);
        }

        return new BlockStatement(name, scoped, body, line);
    }

    private PrintStatement ParsePrint()
    {
        int line = Next().Line;
        List<Expression> values = [];
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (values.Count > 0)
            {
                ExpectOperator(",");
            }

            values.Add(ParseExpression());
        }

        return new PrintStatement(values, line);
    }

    private AutoEscapeStatement ParseAutoEscape()
    {
        int line = Next().Line;
        Expression value = ParseExpression();
        return new AutoEscapeStatement(value, ParseTagBody("endautoescape"), line);
    }

    private LoaderStatement ParseLoader()
    {
        Token tag = Next();
        Expression template = ParseExpression();
        while (Current.Kind is TokenKind.Name || Current.Is(TokenKind.Operator, ","))
        {
            Next();
        }

        return new LoaderStatement(tag.Text, template, tag.Line);
    }

    private Token Next()
    {
        Token token = Current;
        if (token.Kind != TokenKind.End)
        {
            _at++;
        }

        return token;
    }

    private Token Expect(TokenKind kind)
    {
        if (Current.Kind == kind)
        {
            return Next();
        }

        string expected = new Token(kind, "name", 0).Describe();
        throw Current.Kind == TokenKind.End
            ? Fail($"unexpected end of template, expected '{expected}'.")
            : Fail($"expected token '{expected}', got '{Current.Describe()}'");
    }

    private void ExpectOperator(string text)
    {
        if (!SkipOperator(text))
        {
            throw Fail($"expected token '{text}', got '{Current.Describe()}'");
        }
    }

    private void ExpectName(string text)
    {
        if (!SkipName(text))
        {
            throw Fail($"expected token '{text}', got '{Current.Describe()}'");
        }
    }

    private bool SkipOperator(string text) => Skip(TokenKind.Operator, text);

    private bool SkipName(string text) => Skip(TokenKind.Name, text);

    private bool Skip(TokenKind kind, string text)
    {
        if (!Current.Is(kind, text))
        {
            return false;
        }

        Next();
        return true;
    }

    private void CheckDepth()
    {
        if (!System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Fail("the template is nested too deep");
        }
    }

    private TemplateSyntaxException Fail(string message, int? line = null) => new(message, line ?? Current.Line);

    private TemplateSyntaxException UnknownTag(string? name)
    {
        string message = name is null ? "Unexpected end of template." : $"Encountered unknown tag '{name}'.";
        if (_awaited.Count > 0)
        {
            string looking = string.Join(" or ", _awaited.Peek().Select(t => $"'{t}'"));
            message += name is not null && _awaited.Any(tags => tags.Contains(name))
                ? $" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {looking}."
                : $" Jinja was looking for the following tags: {looking}.";
        }

        if (_openTags.Count > 0)
        {
            message += $" The innermost block that needs to be closed is '{_openTags.Peek()}'.";
        }

        return Fail(message);
    }
}
