import type { AnyNode, Node } from 'acorn';

// Questions to the tree that several checks ask.

/** The parts of a node in the order of the text. */
export function childrenOf(node: Node): AnyNode[] {
  const parts = Object.values(node).flatMap((member: unknown) => (Array.isArray(member) ? member : [member]));
  return parts.filter(isNode).sort((a, b) => a.start - b.start);
}

export function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

export function isFunction(node: AnyNode): boolean {
  return /^(?:Arrow)?Function(?:Expression|Declaration)$/.test(node.type);
}

/** The node and all below it; what `enters` refuses is left out with all that is below it. */
export function* within(node: AnyNode, enters: (node: AnyNode) => boolean = () => true): Generator<AnyNode> {
  if (!enters(node)) return;
  yield node;
  for (const child of childrenOf(node)) yield* within(child, enters);
}

/** `context.request.query.prompt` → its names from the left; undefined where a part is computed. */
export function pathOf(node: AnyNode): readonly string[] | undefined {
  if (node.type === 'Identifier') return [node.name];
  if (node.type === 'ThisExpression') return ['this'];
  if (node.type === 'ChainExpression') return pathOf(node.expression);
  if (node.type === 'CallExpression') return pathOf(node.callee);
  if (node.type !== 'MemberExpression') return undefined;
  const object = pathOf(node.object);
  const { property } = node;
  const name =
    !node.computed && property.type === 'Identifier'
      ? property.name
      : property.type === 'Literal'
        ? String(property.value)
        : undefined;
  return object && name !== undefined ? [...object, name] : undefined;
}

export function isNamed(node: AnyNode, name: string | undefined): boolean {
  return name !== undefined && node.type === 'Identifier' && node.name === name;
}

/** Whether this is a call of the name itself: `callback(…)`. */
export function isCallOf(node: AnyNode, name: string | undefined): boolean {
  return node.type === 'CallExpression' && isNamed(node.callee, name);
}

/** A use of a variable, and not a name that only looks like one: `x.user`, `{ user: 1 }`. */
export function uses(node: AnyNode, name: string | undefined): boolean {
  if (name === undefined) return false;
  if (node.type === 'Identifier') return node.name === name;
  if (node.type === 'MemberExpression' && !node.computed) return uses(node.object, name);
  if (node.type === 'Property' && !node.computed) return uses(node.value, name);
  return childrenOf(node).some((child) => uses(child, name));
}
