import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import { objectOf } from '../../kit/json-values.ts';
import {
  EXPRESSION_END,
  EXPRESSION_NAMES,
  EXPRESSION_START,
  expressionBody,
  LIBRARY_NAMES,
  MODULE_NAMES,
} from '../program/source-text.ts';
import type { CodeForm, FaultPlace, SyntaxFault } from './syntax-fault.ts';

const load = createRequire(import.meta.url);
const FILE = 'code';
const END = 'Unexpected end of input';
const LINE_END = /\r\n|[\n\r\u2028\u2029]/;
const LONGEST_SOURCE = 120;
const NAMES = { expression: EXPRESSION_NAMES, module: MODULE_NAMES, library: LIBRARY_NAMES } as const;

/**
 * Compiles code as its container will, and runs nothing of it. V8 keeps the place of a mistake to itself but for the lines
 * that Node puts before the stack. It may take seconds, by a source that is made for that: never in the server's own process.
 */
export function findSyntaxFault(code: string, form: CodeForm): SyntaxFault | undefined {
  try {
    compileFunction(textOf(code, form), [...NAMES[form]], { filename: FILE });
    return undefined;
  } catch (cause) {
    // What is nested too deeply for this process may not be for a container.
    if (!(cause instanceof Error) || cause.name !== 'SyntaxError') return undefined;
    return faultOf(cause, code, form);
  }
}

function textOf(code: string, form: CodeForm): string {
  return form === 'expression' ? expressionBody(code) : code;
}

/** Without what is put around it, and without the end that is forgiven. */
function ownTextOf(code: string, form: CodeForm): string {
  return form === 'expression' ? expressionBody(code).slice(EXPRESSION_START.length, -EXPRESSION_END.length) : code;
}

function faultOf({ message, stack = '' }: Error, code: string, form: CodeForm): SyntaxFault {
  const [head = '', , marks = ''] = stack.split('\n');
  const line = Number(/^code:(\d+)$/.exec(head)?.[1] ?? 1);
  const lines = ownTextOf(code, form).split(LINE_END);
  // What comes behind the code is ours: it is met where the code stops too early.
  if (line > lines.length || message === END) return { message: END, place: endOf(code) };
  const before = form === 'expression' && line === 1 ? EXPRESSION_START.length : 0;
  const marked = marks.indexOf('^');
  const index = marked < 0 ? indexInLongLine(textOf(code, form), line) : marked;
  return { message, place: placeIn(lines, line, Math.max(0, index - before)) };
}

/** Node marks the first 1,000 characters of a line; of code that was packed into one line another parser knows more. */
function indexInLongLine(text: string, line: number): number {
  const { parse }: typeof import('acorn') = load('acorn');
  try {
    parse(text, { ecmaVersion: 'latest', allowReturnOutsideFunction: true });
    return 0;
  } catch (cause) {
    const loc: unknown = cause instanceof Error && 'loc' in cause ? cause.loc : undefined;
    const { line: at, column } = objectOf(loc);
    return at === line && typeof column === 'number' ? column : 0;
  }
}

function endOf(code: string): FaultPlace {
  const lines = code.trimEnd().split(LINE_END);
  return placeIn(lines, lines.length, lines.at(-1)?.length ?? 0);
}

function placeIn(lines: readonly string[], line: number, index: number): FaultPlace {
  const whole = lines[line - 1] ?? '';
  const start = whole.length <= LONGEST_SOURCE ? 0 : Math.max(0, index - LONGEST_SOURCE / 2);
  const source = whole.slice(start, start + LONGEST_SOURCE).replaceAll('\t', ' ');
  return { line, column: index + 1, source, mark: index - start };
}
