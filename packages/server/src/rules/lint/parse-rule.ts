import { type ArrowFunctionExpression, type FunctionExpression, parseExpressionAt, tokenizer } from 'acorn';
import type { Finding } from './finding.ts';

/** A rule's function and the names that it has for what it is given. */
export interface ParsedRule {
  readonly fn: FunctionExpression | ArrowFunctionExpression;
  readonly user: string | undefined;
  readonly context: string | undefined;
  readonly callback: string | undefined;
}

const OPTIONS = { ecmaVersion: 'latest', locations: true, allowAwaitOutsideFunction: true } as const;

/** As the container takes it: one function expression, with comments before it and semicolons behind it. */
export function parseRule(script: string): ParsedRule | Finding {
  try {
    const expression = parseExpressionAt(script, 0, OPTIONS);
    for (const token of tokenizer(script.slice(expression.end), OPTIONS)) {
      if (token.type.label !== ';')
        return syntaxFinding('A rule is one function, and nothing follows it', token.loc?.start);
    }
    const { type } = expression;
    if (type !== 'FunctionExpression' && type !== 'ArrowFunctionExpression')
      return syntaxFinding('A rule is one function: function (user, context, callback) { … }', expression.loc?.start);
    const [user, context, callback] = expression.params.map((parameter) =>
      parameter.type === 'Identifier' ? parameter.name : undefined,
    );
    return { fn: expression, user, context, callback };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const place = 'loc' in cause ? cause.loc : undefined;
    return syntaxFinding(cause.message.replace(/ \(\d+:\d+\)$/, ''), place as { line: number; column: number });
  }
}

function syntaxFinding(message: string, at: { line: number; column: number } | undefined): Finding {
  return { finding: 'syntax', line: at?.line ?? 1, column: (at?.column ?? 0) + 1, message };
}
