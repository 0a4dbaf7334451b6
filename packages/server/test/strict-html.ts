/** One element of a page that was read strictly: a page that a browser would have to repair throws here. */
export interface Element {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  text: string;
}

const VOID = new Set(['meta', 'link', 'img', 'input', 'br', 'hr']);
const RAW_TEXT = new Set(['style', 'script']);
const TOKEN =
  /<!doctype html>|<\/([a-z][a-z0-9]*)>|<([a-z][a-z0-9]*)((?:\s+[a-z][a-z0-9-]*(?:="[^"<]*")?)*)\s*(\/?)>|([^<]+)/giy;
const ATTRIBUTE = /\s+([a-z][a-z0-9-]*)(?:="([^"<]*)")?/giy;

export function parseStrictHtml(html: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < html.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(html);
    if (token === null) throw new Error(`No well-formed HTML at: ${html.slice(at, at + 80)}`);
    const [, closed, tag, attributeText = '', selfClosed, text] = token;
    if (tag !== undefined) {
      const element = { tag: tag.toLowerCase(), attributes: parseAttributes(attributeText), text: '' };
      elements.push(element);
      if (!VOID.has(element.tag) && selfClosed !== '/') open.push(element);
    } else if (closed !== undefined) {
      if (open.pop()?.tag !== closed.toLowerCase()) throw new Error(`</${closed}> closes nothing.`);
    } else if (text !== undefined) {
      const raw = RAW_TEXT.has(open.at(-1)?.tag ?? '');
      for (const element of open) element.text += raw ? text : decode(text);
    }
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)?.tag}> stays open.`);
  return elements;
}

function parseAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(new RegExp(ATTRIBUTE.source, 'gi'))) {
    if (attributes.has(name)) throw new Error(`Attribute ${name} stands twice in: ${text}`);
    attributes.set(name, decode(value));
  }
  return attributes;
}

function decode(text: string): string {
  const bare = /&(?!amp;|lt;|gt;|quot;|#34;|#39;)/.exec(text);
  if (bare !== null) throw new Error(`An ampersand stands bare in: ${text}`);
  const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#39': "'" };
  return text.replace(/&(amp|lt|gt|quot|#34|#39);/g, (_whole, name: string) => characters[name] ?? '');
}
