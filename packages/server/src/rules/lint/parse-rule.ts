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

const LONGEST_SOURCE = 120;
const LINE_END = /\r\n|[\n\r\u2028\u2029]/;

const NO_FUNCTION = 'A rule is one function, and nothing else: function (user, context, callback) { … }';

/** As the container takes it: one function expression, with comments before it and semicolons behind it. */
export function parseRule(script: string): ParsedRule | Finding {
  try {
    const expression = parseExpressionAt(script, 0, OPTIONS);
    const { type } = expression;
    if (type !== 'FunctionExpression' && type !== 'ArrowFunctionExpression')
      return syntaxFinding(script, NO_FUNCTION, expression.loc?.start);
    // Blanks in its place, so that what follows is found where it is.
    const rest = script.slice(0, expression.end).replace(/\S/g, ' ') + script.slice(expression.end);
    for (const token of tokenizer(rest, OPTIONS)) {
      if (token.type.label !== ';')
        return syntaxFinding(script, 'A rule is one function, and nothing follows it', token.loc?.start);
    }
    const [user, context, callback] = expression.params.map((parameter) =>
      parameter.type === 'Identifier' ? parameter.name : undefined,
    );
    return { fn: expression, user, context, callback };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const { loc, pos } = cause as SyntaxError & { loc?: { line: number; column: number }; pos?: number };
    if (pos !== undefined && pos <= firstToken(script)) return syntaxFinding(script, NO_FUNCTION, loc);
    return syntaxFinding(script, cause.message.replace(/ \(\d+:\d+\)$/, ''), loc);
  }
}

/** Where the text begins behind its comments: what fails there is a statement, or nothing at all. */
function firstToken(script: string): number {
  try {
    return tokenizer(script, OPTIONS).getToken().start;
  } catch {
    return -1;
  }
}

function syntaxFinding(script: string, message: string, at: { line: number; column: number } | undefined): Finding {
  const { line = 1, column = 0 } = at ?? {};
  const source = script.split(LINE_END)[line - 1]?.trim().slice(0, LONGEST_SOURCE);
  return { finding: 'syntax', line, column: column + 1, message, ...(source && { source }) };
}
