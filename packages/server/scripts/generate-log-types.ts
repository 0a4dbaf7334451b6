// Writes src/logs/log-types.ts from the catalogue of event codes:
//   node scripts/generate-log-types.ts <log-events.json>
import { readFile, writeFile } from 'node:fs/promises';
import { LOG_TYPE_NAMES } from './log-type-names.ts';

interface CatalogueEntry {
  readonly code: string;
  readonly name: string;
  readonly category: string;
  readonly outcome: string;
  readonly level: number;
  readonly stream_filter: string;
}

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error('Usage: node scripts/generate-log-types.ts <log-events.json>');
const target = new URL('../src/logs/log-types.ts', import.meta.url);
const entries = (JSON.parse(await readFile(source, 'utf8')) as CatalogueEntry[]).map(
  (entry) => [nameOf(entry), entry] as const,
);
refuseDoubles(entries.map(([name]) => name));
entries.sort(([one], [other]) => (one < other ? -1 : 1));
await writeFile(target, render(entries));

function nameOf({ code, name }: CatalogueEntry): string {
  return LOG_TYPE_NAMES[code] ?? camelCase(name.replace(/\(.*?\)/g, ''));
}

function camelCase(title: string): string {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
}

function refuseDoubles(names: readonly string[]): void {
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined)
    throw new Error(`Two event codes would be called ${double}: name one in log-type-names.ts.`);
}

function render(rows: readonly (readonly [string, CatalogueEntry])[]): string {
  const lines = rows.map(([name, entry]) => {
    const { code, level, category, outcome, stream_filter: streamFilter } = entry;
    const value = Object.entries({ code, level, category, outcome, streamFilter });
    return `  ${name}: { ${value.map(([key, part]) => `${key}: ${typeof part === 'number' ? part : `'${part}'`}`).join(', ')} },`;
  });
  return `// Written by scripts/generate-log-types.ts from the catalogue of event codes; names come from scripts/log-type-names.ts.

export type LogOutcome = 'success' | 'failure' | 'warning' | 'info';

export interface LogTypeEntry {
  /** The wire's \`type\`. */
  readonly code: string;
  readonly level: 0 | 1 | 2 | 3 | 4;
  readonly category: string;
  readonly outcome: LogOutcome;
  /** The group that a log stream's filter names. */
  readonly streamFilter: string;
}

// biome-ignore format: one event a line
export const logTypes = {
${lines.join('\n')}
} as const satisfies Record<string, LogTypeEntry>;

export type LogType = keyof typeof logTypes;
`;
}
