/** What a browser or an application may ask for; a list that is longer was written by nobody. */
const LONGEST_LIST = 500;
const MOST_TAGS = 20;
const TAG = /^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i;

/** `ui_locales` of OpenID Connect: tags in the order of preference, separated by blanks. */
export function parseUiLocales(value: string | undefined): string[] {
  return (value ?? '').slice(0, LONGEST_LIST).split(/\s+/).filter(isTag).slice(0, MOST_TAGS);
}

/** RFC 9110 section 12.5.4: tags with weights, `de-CH, de;q=0.9, *;q=0.1`. */
export function parseAcceptLanguage(value: string | undefined): string[] {
  return (value ?? '')
    .slice(0, LONGEST_LIST)
    .split(',')
    .slice(0, MOST_TAGS)
    .map((range) => {
      const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
      const weight = parameters.map((text) => /^q=([01](?:\.\d{0,3})?)$/i.exec(text)?.[1]).find(Boolean) ?? '1';
      return { tag, weight: Number(weight) };
    })
    .filter(({ tag, weight }) => isTag(tag) && weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}

/**
 * RFC 4647 section 3.4, lookup: the first wish that is offered, shortened from its end where needed (`de-CH` → `de`); a
 * language that is offered for one region only (`pt-BR`) serves those who want it for another. Else the first offered.
 */
export function chooseLanguage(wanted: readonly string[], offered: readonly string[]): string {
  for (const tag of wanted) {
    const found = lookUp(tag, offered) ?? offered.find((other) => primary(other) === primary(tag));
    if (found !== undefined) return found;
  }
  return offered[0] ?? 'en';
}

function lookUp(tag: string, offered: readonly string[]): string | undefined {
  for (let range = tag.toLowerCase(); range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    const found = offered.find((other) => other.toLowerCase() === range);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isTag(text: string): boolean {
  return TAG.test(text);
}

function primary(tag: string): string {
  return tag.split('-', 1)[0]?.toLowerCase() ?? '';
}
