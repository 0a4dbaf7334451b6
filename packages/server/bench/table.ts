import type { Figure } from './row.ts';

const COLUMNS = ['Work', 'Ours', 'Yardstick of the same run', 'Ratio', 'Goal', 'Verdict'] as const;

/** A table that is Markdown as well. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.work,
    figure.ours,
    figure.yardstick,
    withUnit(figure.measured, figure),
    figure.goal ? `${figure.goal.is === 'at most' ? '<=' : '>='} ${figure.goal.limit}` : '',
    verdict(figure),
  ]);
  const widths = COLUMNS.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  return [line(COLUMNS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** `met`, or by how much of the goal it is missed. */
export function verdict({ goal, measured }: Figure): string {
  if (!goal) return '';
  const excess = goal.is === 'at most' ? measured / goal.limit - 1 : 1 - measured / goal.limit;
  return excess <= 0 ? 'met' : `missed by ${(excess * 100).toFixed(excess < 0.1 ? 1 : 0)} %`;
}

function withUnit(value: number, { unit }: Figure): string {
  return `${value.toFixed(value >= 100 ? 0 : 2)} ${unit}`;
}
