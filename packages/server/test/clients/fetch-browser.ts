/** A browser without scripts, over real sockets: it keeps the cookies of one origin and follows redirects within it. */
export interface FetchBrowser {
  /** Ends at a page of this origin, or before the first address elsewhere: the client's. */
  open(url: URL): Promise<Arrival>;
  /** Opens an /authorize URL, fills in the login page where there is one, and returns where that leads. */
  logIn(url: URL, person: { readonly email: string; readonly password: string }): Promise<Arrival>;
}

export interface Arrival {
  readonly url: URL;
  /** The page's HTML; empty where the address is not this origin's. */
  readonly body: string;
}

const MOST_REDIRECTS = 10;

export function createFetchBrowser(origin: string): FetchBrowser {
  const cookies = new Map<string, string>();

  async function send(first: URL, form?: URLSearchParams): Promise<Arrival> {
    let url = first;
    let init: RequestInit = form ? { method: 'POST', body: form } : {};
    for (let hop = 0; hop < MOST_REDIRECTS; hop++) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie, origin } });
      for (const line of response.headers.getSetCookie()) keep(line);
      const body = await response.text();
      const location = response.headers.get('location');
      if (location === null) return { url, body };
      url = new URL(location, url);
      if (url.origin !== origin) return { url, body: '' };
      init = {};
    }
    throw new Error('Too many redirects.');
  }

  function keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name);
    else cookies.set(name, value);
  }

  return {
    open: (url) => send(url),
    async logIn(url, { email, password }) {
      const page = await send(url);
      if (!page.url.pathname.startsWith('/u/login')) return page;
      const { action, fields } = formOf(page.body);
      fields.set('username', email);
      fields.set('password', password);
      return send(new URL(action, page.url), fields);
    },
  };
}

/** The first form of a page with its hidden fields. */
export function formOf(html: string): { action: string; fields: URLSearchParams } {
  const action = decodeEntities(/<form[^>]* action="([^"]+)"/.exec(html)?.[1] ?? '');
  const fields = new URLSearchParams();
  for (const [, name = '', value = ''] of html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g))
    fields.append(name, decodeEntities(value));
  return { action, fields };
}

function decodeEntities(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&#x2F;', '/').replaceAll('&amp;', '&');
}
