/** A browser without scripts, over real sockets: it keeps the cookies of its origins and follows redirects within them. */
export interface FetchBrowser {
  /** Ends at a page of its origins, or before the first address elsewhere: the client's. */
  open(url: URL): Promise<Arrival>;
  /** Sends the form of a page, hidden fields included. */
  submit(page: Arrival, given: Readonly<Record<string, string>>): Promise<Arrival>;
  /** Sends the form of a page, with its hidden fields. */
  submit(page: Arrival, fields?: Readonly<Record<string, string>>): Promise<Arrival>;
  /** Opens an /authorize URL, fills in the login page where there is one, and returns where that leads. */
  logIn(url: URL, person: { readonly email: string; readonly password: string }): Promise<Arrival>;
}

export interface Arrival {
  readonly url: URL;
  /** The page's HTML; empty where the address is not of its origins. */
  readonly body: string;
  /** 0 where the address is not of its origins. */
  readonly status: number;
}

const MOST_REDIRECTS = 10;
const SUBMIT = 'HTMLFormElement.prototype.submit';

/** The server's origin, and the application's where the application answers over a socket, too. */
export function createFetchBrowser(...origins: readonly string[]): FetchBrowser {
  const jars = new Map(origins.map((origin) => [origin, new Map<string, string>()] as const));

  async function send(first: URL, form?: URLSearchParams): Promise<Arrival> {
    let url = first;
    let init: RequestInit = form ? { method: 'POST', body: form } : {};
    for (let hop = 0; hop < MOST_REDIRECTS; hop++) {
      const { origin } = url;
      const cookies = jars.get(origin);
      if (cookies === undefined) return { url, body: '', status: 0 };
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie, origin } });
      for (const line of response.headers.getSetCookie()) keep(cookies, line);
      const body = await response.text();
      const location = response.headers.get('location');
      if (location === null) {
        const { action, fields } = formOf(body);
        // form_post: a browser with scripts sends such a form by itself; to others than its origins, the test does.
        const isSentByScript = body.includes(SUBMIT) && action !== '' && jars.has(new URL(action, url).origin);
        if (!isSentByScript) return { url, body, status: response.status };
        url = new URL(action, url);
        init = { method: 'POST', body: fields };
        continue;
      }
      url = new URL(location, url);
      init = {};
    }
    throw new Error('Too many redirects.');
  }

  function keep(cookies: Map<string, string>, line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name);
    else cookies.set(name, value);
  }

  return {
    open: (url) => send(url),
    submit,
    async logIn(url, { email, password }) {
      const page = await send(url);
      return page.url.pathname.startsWith('/u/login') ? submit(page, { username: email, password }) : page;
    },
  };

  function submit(page: Arrival, given: Readonly<Record<string, string>>): Promise<Arrival> {
    const { action, fields } = formOf(page.body);
    for (const [name, value] of Object.entries(given)) fields.set(name, value);
    return send(new URL(action, page.url), fields);
  }
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
