import type { Node } from 'acorn';

export type FindingName = 'syntax' | 'mfa-bypass' | 'whole-object' | 'management-call' | 'callback';

/** What a reviewer should look at, and where: lines and columns count from 1. */
export interface Finding {
  readonly finding: FindingName;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The line, of what is no rule. */
  readonly source?: string;
}

export function findingAt(node: Node, finding: FindingName, message: string): Finding {
  const { line = 1, column = 0 } = node.loc?.start ?? {};
  return { finding, line, column: column + 1, message };
}
