import { readFileSync } from 'node:fs';
import { Liquid } from 'liquidjs';

const FOLDER = new URL('./templates/', import.meta.url);
const LIMITS = {
  ownPropertyOnly: true,
  strictVariables: true,
  strictFilters: true,
  lenientIf: true,
  parseLimit: 200_000,
  renderLimit: 1_000,
  memoryLimit: 5_000_000,
} as const;

/** Reads the templates once. The HTML part escapes every output; in the text part there is nothing to escape from. */
export function createMailRenderer(name: 'message' | 'alert' = 'message') {
  const html = new Liquid({ ...LIMITS, outputEscape: 'escape' });
  const text = new Liquid(LIMITS);
  const htmlTemplate = html.parse(read(`${name}.html.liquid`));
  const textTemplate = text.parse(read(`${name}.text.liquid`));

  return function render(view: Readonly<Record<string, unknown>>): { readonly html: string; readonly text: string } {
    return { html: html.renderSync(htmlTemplate, { ...view }), text: text.renderSync(textTemplate, { ...view }) };
  };
}

function read(file: string): string {
  return readFileSync(new URL(file, FOLDER), 'utf8');
}
