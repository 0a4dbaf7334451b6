import type { Failure, Outcome } from '../containers/job.ts';
import { printable } from './printable.ts';

export type Section = readonly [title: string, lines: readonly string[]];

/** What any code that was tried said and did, for people: sections that are not empty, then how it ended. */
export function describeRun(
  {
    console,
    warnings,
    failure,
    tookMs,
  }: Pick<Outcome, 'console' | 'warnings' | 'tookMs'> & { readonly failure: Failure | undefined },
  sections: readonly Section[],
  end: string,
): string {
  const all: readonly Section[] = [
    ['Console', console.map(({ level, text, part }) => `${part?.name ?? ''} ${level}: ${text}`)],
    ['Warnings', warnings.map(({ text }) => text)],
    ...sections,
    ['Failure', failure ? [describeFailure(failure)] : []],
  ];
  const told = all
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [`${title}:`, ...lines.map(indented)].join('\n'));
  return [...told, `${end} (${Math.round(tookMs)} ms)`].join('\n\n');
}

export function describeCall({
  method,
  path,
  body,
  status,
}: {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
}): string {
  return `${method} ${path} ${inJson(body)} → ${status}`;
}

function describeFailure({ kind, part, error }: Failure): string {
  const where = part ? `${part.name}: ` : '';
  if (error) return `${where}${error.stack ?? `${error.name}: ${error.message}`}`;
  return `${where}${kind === 'timeout' ? 'it did not end, or call its callback, within the time limit' : kind}`;
}

export function inJson(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

function indented(line: string): string {
  return `  ${printable(line, '\n').replaceAll('\n', '\n    ')}`;
}
