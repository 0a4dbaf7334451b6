import type { AnyNode } from 'acorn';
import { type Finding, findingAt } from './finding.ts';
import type { ParsedRule } from './parse-rule.ts';
import { childrenOf, isFunction, pathOf, within } from './syntax.ts';

const MESSAGE =
  'The Management API is called at each login: its limits and its delay become those of every login. Call it once, and remember that in app_metadata';

/** A call of the Management API that nothing makes depend on who logs in. */
export function checkManagementCalls({ fn }: ParsedRule): Finding[] {
  const findings = new Map<number, Finding>();
  visit(fn.body, false);
  return [...findings.values()];

  /** `depends`: a condition decides whether this is reached. */
  function visit(node: AnyNode, depends: boolean): void {
    if (!depends && isManagementCall(node)) findings.set(node.start, findingAt(node, 'management-call', MESSAGE));
    if (node.type === 'BlockStatement') {
      let mayHaveLeft = depends;
      for (const statement of node.body) {
        visit(statement, mayHaveLeft);
        mayHaveLeft ||= isWayOut(statement);
      }
      return;
    }
    if (node.type === 'IfStatement' || node.type === 'ConditionalExpression') {
      visit(node.test, depends);
      const isAboutErrors = asksForErrors(node.test);
      visit(node.consequent, depends || !isAboutErrors);
      if (node.alternate) visit(node.alternate, depends || !isAboutErrors);
      return;
    }
    if (node.type === 'LogicalExpression') {
      visit(node.left, depends);
      visit(node.right, true);
      return;
    }
    const isOptional = node.type === 'SwitchCase' || node.type === 'CatchClause';
    // A function that is declared runs where it is called from, if at all: nothing is known of that.
    const isHelper = node.type === 'FunctionDeclaration';
    for (const child of childrenOf(node)) visit(child, depends || isOptional || isHelper);
  }
}

function isManagementCall(node: AnyNode): boolean {
  if (node.type === 'NewExpression') return pathOf(node.callee)?.at(-1) === 'ManagementClient';
  if (node.type !== 'CallExpression') return false;
  const path = pathOf(node.callee) ?? [];
  if (path[0] === 'auth0' && path[1] === 'users' && path.length === 3) return node.callee.type === 'MemberExpression';
  return node.arguments.some((argument) =>
    [...within(argument, (part) => !isFunction(part))].some(isManagementAddress),
  );
}

function isManagementAddress(node: AnyNode): boolean {
  if (node.type === 'MemberExpression') return pathOf(node)?.join('.') === 'auth0.baseUrl';
  if (node.type === 'Literal') return typeof node.value === 'string' && node.value.includes('/api/v2/');
  return node.type === 'TemplateElement' && node.value.raw.includes('/api/v2/');
}

/** `if (user.app_metadata.done) return callback(…)`: what follows is not reached at each login. */
function isWayOut(statement: AnyNode): boolean {
  if (statement.type !== 'IfStatement' || asksForErrors(statement.test)) return false;
  const own = within(statement.consequent, (node) => !isFunction(node));
  return [...own].some((node) => node.type === 'ReturnStatement' || node.type === 'ThrowStatement');
}

function asksForErrors(test: AnyNode): boolean {
  const [root = ''] = pathOf(test) ?? [];
  return /^(?:e|err|error|ex)\d?$/i.test(root);
}
