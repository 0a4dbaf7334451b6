import type { AnyNode, IfStatement } from 'acorn';
import { type Finding, findingAt } from './finding.ts';
import type { ParsedRule } from './parse-rule.ts';
import { isCallOf, isFunction, pathOf, within } from './syntax.ts';

const MESSAGE =
  'Without a page the second factor is left out, and prompt=none or a refresh token is all it takes: refuse, or ask for it there too';

/**
 * A rule that asks for a second factor, but not where nobody can be asked: whoever has a session or a refresh token never
 * needs one. Refusing there is no bypass.
 */
export function checkMfaBypass({ fn, callback }: ParsedRule): Finding[] {
  const demands = [...within(fn.body)].filter(isDemand);
  if (demands.length === 0) return [];
  const names = silentNames(fn.body);
  const findings: Finding[] = [];
  for (const node of within(fn.body)) {
    if (node.type !== 'IfStatement') continue;
    const silent = silenceIn(node.test, names);
    if (silent && isBypass(node, silent.holds, demands, callback))
      findings.push(findingAt(silent.node, 'mfa-bypass', MESSAGE));
  }
  return findings;
}

function isDemand(node: AnyNode): boolean {
  return node.type === 'AssignmentExpression' && pathOf(node.left)?.at(-1) === 'multifactor';
}

interface Silence {
  readonly node: AnyNode;
  /** Whether the test is true where nobody can be asked. */
  readonly holds: boolean;
}

function silenceIn(test: AnyNode, names: ReadonlyMap<string, boolean>): Silence | undefined {
  if (test.type === 'UnaryExpression' && test.operator === '!') {
    const inner = silenceIn(test.argument, names);
    return inner && { node: inner.node, holds: !inner.holds };
  }
  if (test.type === 'LogicalExpression') return silenceIn(test.left, names) ?? silenceIn(test.right, names);
  if (test.type === 'Identifier') {
    const holds = names.get(test.name);
    return holds === undefined ? undefined : { node: test, holds };
  }
  if (test.type !== 'BinaryExpression' || !/^[!=]==?$/.test(test.operator)) return undefined;
  const sides: AnyNode[] = [test.left, test.right];
  const isSilent = sides.some((side) => saysSilent(side, sides));
  return isSilent ? { node: test, holds: test.operator.startsWith('=') } : undefined;
}

/** `….prompt` beside `'none'`, `….protocol` beside `'oauth2-refresh-token'`. */
function saysSilent(side: AnyNode, sides: readonly AnyNode[]): boolean {
  const last = pathOf(side)?.at(-1);
  const isBeside = (value: string) => sides.some((other) => other.type === 'Literal' && other.value === value);
  return (last === 'prompt' && isBeside('none')) || (last === 'protocol' && isBeside('oauth2-refresh-token'));
}

/** `const isSilent = context.request.query.prompt === 'none';` */
function silentNames(body: AnyNode): ReadonlyMap<string, boolean> {
  const names = new Map<string, boolean>();
  for (const node of within(body)) {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier' || !node.init) continue;
    const silent = silenceIn(node.init, names);
    if (silent) names.set(node.id.name, silent.holds);
  }
  return names;
}

function isBypass(
  node: IfStatement,
  holds: boolean,
  demands: readonly AnyNode[],
  callback: string | undefined,
): boolean {
  const [silent, asked] = holds ? [node.consequent, node.alternate] : [node.alternate, node.consequent];
  const isDemanded = (branch: AnyNode | null | undefined) =>
    branch != null && demands.some((demand) => contains(branch, demand));
  if (isDemanded(silent) || (silent && refuses(silent, callback))) return false;
  return (
    isDemanded(asked) ||
    (silent != null && leaves(silent, callback) && demands.some((demand) => demand.start > node.start))
  );
}

function contains(outer: AnyNode, inner: AnyNode): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

function refuses(branch: AnyNode, callback: string | undefined): boolean {
  return [...within(branch)].some((node) => {
    if (node.type === 'ThrowStatement') return true;
    if (node.type !== 'CallExpression' || !isCallOf(node, callback)) return false;
    const [status] = node.arguments;
    const isNothing =
      status === undefined ||
      (status.type === 'Literal' && status.value === null) ||
      (status.type === 'Identifier' && status.name === 'undefined');
    return !isNothing;
  });
}

function leaves(branch: AnyNode, callback: string | undefined): boolean {
  const own = within(branch, (node) => !isFunction(node));
  return [...own].some((node) => node.type === 'ReturnStatement' || isCallOf(node, callback));
}
