import type { AnyNode } from 'acorn';
import { type Finding, findingAt } from './finding.ts';
import type { ParsedRule } from './parse-rule.ts';
import { childrenOf, isCallOf, isFunction, isNamed, uses, within } from './syntax.ts';

/** What has become of the callback on a way through the code; `later`: a function was handed out that may call it. */
type Fate = 'open' | 'called' | 'later';
type Fates = ReadonlySet<Fate>;

const NOBODY: Fates = new Set();

/** The callback ends a rule: on each way exactly once. Code that runs later counts as a call that will come. */
export function checkCallback(rule: ParsedRule): Finding[] {
  const { fn, callback } = rule;
  if (callback === undefined || !uses(fn.body, callback))
    return [
      findingAt(fn, 'callback', 'The rule never calls its callback: each login waits until the limit, and fails'),
    ];
  const findings = new Map<AnyNode, Finding>();
  const own = followed(fn, callback, findings);
  if (own.has('open'))
    findings.set(
      fn,
      findingAt(fn, 'callback', 'On some way through the rule its callback is not called: that login fails'),
    );
  for (const node of within(fn.body))
    if (isFunction(node) && !rebinds(node, callback)) followed(node, callback, findings);
  return [...findings.values()];
}

function rebinds(fn: AnyNode, callback: string): boolean {
  return 'params' in fn && fn.params.some((parameter) => isNamed(parameter, callback));
}

/** How the ways through one function end; a second call on one of them is a finding. */
function followed(fn: AnyNode, callback: string, findings: Map<AnyNode, Finding>): Fates {
  if (!('body' in fn) || Array.isArray(fn.body)) return NOBODY;
  const ends = new Set<Fate>();
  const leave = (fates: Fates): Fates => {
    for (const fate of fates) ends.add(fate);
    return NOBODY;
  };

  function call(node: AnyNode, fates: Fates): Fates {
    if (fates.has('called') || fates.has('later'))
      findings.set(
        node,
        findingAt(node, 'callback', 'The callback may have been called before: only the first call counts'),
      );
    return fates.size === 0 ? fates : new Set(['called']);
  }

  function handOut(node: AnyNode, fates: Fates): Fates {
    if (fates.has('called'))
      findings.set(node, findingAt(node, 'callback', 'The callback was called, and may be called again later'));
    return fates.size === 0 ? fates : new Set(['later']);
  }

  function follow(node: AnyNode, fates: Fates): Fates {
    switch (node.type) {
      case 'FunctionDeclaration':
        // Whoever calls it hands it out.
        return fates;
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return uses(node, callback) && !rebinds(node, callback) ? handOut(node, fates) : fates;
      case 'Identifier':
        return helpers.has(node.name) || node.name === callback ? handOut(node, fates) : fates;
      case 'MemberExpression':
        return node.computed ? inTurn([node.object, node.property], fates) : follow(node.object, fates);
      case 'Property':
        return follow(node.value, fates);
      case 'CallExpression': {
        if (isCallOf(node, callback)) return call(node, inTurn(node.arguments, fates));
        return inTurn([node.callee, ...node.arguments], fates);
      }
      case 'ReturnStatement':
        return leave(node.argument ? follow(node.argument, fates) : fates);
      case 'ThrowStatement':
        follow(node.argument, fates);
        return leave(fates.has('open') ? new Set(['called']) : fates);
      case 'IfStatement':
      case 'ConditionalExpression': {
        const after = follow(node.test, fates);
        return union(follow(node.consequent, after), node.alternate ? follow(node.alternate, after) : after);
      }
      case 'LogicalExpression': {
        const after = follow(node.left, fates);
        return union(after, follow(node.right, after));
      }
      case 'TryStatement': {
        const tried = follow(node.block, fates);
        // What is caught was thrown before the callback was called, as far as anybody can see.
        const caught = node.handler ? follow(node.handler.body, fates) : NOBODY;
        const after = union(tried, caught);
        return node.finalizer ? follow(node.finalizer, after) : after;
      }
      case 'SwitchStatement': {
        const start = follow(node.discriminant, fates);
        let through: Fates = NOBODY;
        for (const one of node.cases) through = inTurn(one.consequent, union(start, through));
        return node.cases.some(({ test }) => test === null)
          ? union(through, broken)
          : union(start, union(through, broken));
      }
      case 'BreakStatement':
        broken = union(broken, fates);
        return NOBODY;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement': {
        const after = union(fates, inTurn(childrenOf(node), fates));
        return union(after, broken);
      }
      default:
        return inTurn(childrenOf(node), fates);
    }
  }

  function inTurn(nodes: readonly AnyNode[], fates: Fates): Fates {
    return nodes.reduce((before, node) => follow(node, before), fates);
  }

  let broken: Fates = NOBODY;
  const helpers = helpersOf(fn.body, callback);
  const end = follow(fn.body, new Set(['open']));
  leave(end);
  return ends;
}

/** Functions with a name that call the callback: `function done() { callback(null, user, context); }` */
function helpersOf(body: AnyNode, callback: string): ReadonlySet<string> {
  const helpers = new Set<string>();
  for (const node of within(body)) {
    if (node.type === 'FunctionDeclaration' && node.id && uses(node.body, callback)) helpers.add(node.id.name);
  }
  return helpers;
}

function union(one: Fates, other: Fates): Fates {
  return new Set([...one, ...other]);
}
