// The text that tenant code is compiled as. The server looks for mistakes in the same text (containers/syntax/).

/** What rules and database scripts find besides globals. */
export const EXPRESSION_NAMES: readonly string[] = ['require', 'configuration', 'auth0'];

export const EXPRESSION_START = 'return (';
export const EXPRESSION_END = '\n);';

/** One function expression. Comments may end the code, and a trailing semicolon is forgiven. */
export function expressionBody(code: string): string {
  return `${EXPRESSION_START}${code.replace(/(?:\s|;)+$/, '')}${EXPRESSION_END}`;
}

/** What actions and hooks find: CommonJS. */
export const MODULE_NAMES: readonly string[] = ['exports', 'require', 'module', '__filename', '__dirname'];

/** Modules of a tenant's own find `actions.secrets` besides. */
export const LIBRARY_NAMES: readonly string[] = [...MODULE_NAMES, 'actions'];
