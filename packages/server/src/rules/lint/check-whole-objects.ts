import type { AnyNode, CallExpression, NewExpression } from 'acorn';
import { type Finding, findingAt } from './finding.ts';
import type { ParsedRule } from './parse-rule.ts';
import { childrenOf, isFunction, pathOf, within } from './syntax.ts';

/** Globals and modules that keep what they are given: whatever else is required may send it on. */
const HARMLESS =
  /^(?:node:)?(?:lodash|underscore|_|util|url|querystring|crypto|path|assert|xtend|moment|moment-timezone|uuid|bcrypt|bcryptjs|ipaddr\.js|xpath|xmldom|xml2js|async|q|bluebird|buffer)(?:[@/].*)?$/;
const SENDING_GLOBALS: ReadonlySet<string> = new Set([
  'request',
  'fetch',
  'pg',
  'mysql',
  'mongo',
  'sqlserver',
  'Pubnub',
]);
/** Their results are the whole of what they are given. */
const COPIERS: ReadonlySet<string> = new Set([
  'JSON.stringify',
  'Object.assign',
  'Object.entries',
  'Object.values',
  'structuredClone',
  '_.clone',
  '_.cloneDeep',
  '_.extend',
  '_.assign',
  '_.merge',
  'encodeURIComponent',
  'String',
]);

/** The whole `user` or `context` in the arguments of a call that leaves the tenant. Naming what is needed says what is given away. */
export function checkWholeObjects({ fn, user, context }: ParsedRule): Finding[] {
  const whole = new Set([user, context].filter((name) => name !== undefined));
  const sending = new Set(SENDING_GLOBALS);
  for (const node of within(fn.body)) {
    if (node.type !== 'VariableDeclarator' || !node.init) continue;
    const names = [...within(node.id)].flatMap((part) => (part.type === 'Identifier' ? [part.name] : []));
    if (isSendingModule(node.init, sending)) for (const name of names) sending.add(name);
    else if (wholesIn(node.init, whole).length > 0) for (const name of names) whole.add(name);
  }
  const findings = new Map<number, Finding>();
  for (const node of within(fn.body)) {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') continue;
    if (!isSendingCall(node, sending)) continue;
    for (const found of node.arguments.flatMap((argument) => wholesIn(argument, whole))) {
      const message = `The whole ${nameOf(found)} is handed to ${pathOf(node.callee)?.join('.') ?? 'a third party'}: name what it needs`;
      findings.set(found.start, findingAt(found, 'whole-object', message));
    }
  }
  return [...findings.values()];
}

function isSendingCall({ callee }: CallExpression | NewExpression, sending: ReadonlySet<string>): boolean {
  if (callee.type === 'CallExpression' && isSendingModule(callee, sending)) return true;
  if (callee.type === 'MemberExpression' && isSendingModule(callee.object, sending)) return true;
  const [root] = pathOf(callee) ?? [];
  return root !== undefined && sending.has(root);
}

/** `require('slack-notify')(url)`, `axios.create()`, `require('auth0').ManagementClient` */
function isSendingModule(node: AnyNode, sending: ReadonlySet<string>): boolean {
  if (node.type === 'AwaitExpression') return false;
  if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'require') {
    const [name] = node.arguments;
    return name?.type === 'Literal' && !HARMLESS.test(String(name.value));
  }
  if (node.type === 'CallExpression' || node.type === 'NewExpression') return isSendingModule(node.callee, sending);
  if (node.type === 'MemberExpression') return isSendingModule(node.object, sending);
  return node.type === 'Identifier' && sending.has(node.name) && node.name !== 'request';
}

/** Where a value carries a whole object: itself, in a literal, a template, a spread or a copy. */
function wholesIn(node: AnyNode, whole: ReadonlySet<string>): AnyNode[] {
  if (node.type === 'Identifier') return whole.has(node.name) ? [node] : [];
  if (isFunction(node) || node.type === 'MemberExpression') return [];
  if (node.type === 'Property') return wholesIn(node.value, whole);
  if (node.type === 'CallExpression') {
    const path = pathOf(node.callee)?.join('.') ?? '';
    return COPIERS.has(path) ? node.arguments.flatMap((argument) => wholesIn(argument, whole)) : [];
  }
  if (node.type === 'BinaryExpression' && node.operator !== '+') return [];
  return childrenOf(node).flatMap((child) => wholesIn(child, whole));
}

function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : 'object';
}
