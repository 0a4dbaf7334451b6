import { createHash } from 'node:crypto';
import { times } from '../requests.ts';
import type { Row } from '../row.ts';
import { cpuFigure, type Subject, targetOf } from '../workbench.ts';

const CONNECTIONS = 16;

/**
 * Single-page applications ask whether their users are still logged in: prompt=none in a hidden frame, each connection with
 * a session of its own, answered with a code.
 */
export const silent: Row = {
  name: 'silent',
  async measure(workbench) {
    const subject = await workbench.subject();
    const cookies = await Promise.all(times(CONNECTIONS, undefined).map(() => logIn(subject)));
    const path = authorizePath(subject, { prompt: 'none', response_mode: 'web_message' });
    const check = async () => {
      const [cookie = ''] = cookies;
      const page = await fetch(`${subject.firstRun.http_origin}${path}`, { headers: { cookie } });
      if (!/"code":/.test(await page.text())) throw new Error('A silent /authorize brought no code.');
    };
    await check();
    const cost = await workbench.measureRequests(targetOf(subject), () =>
      cookies.map((cookie) => ({ method: 'GET', path, headers: { cookie } })),
    );
    await check();
    return [cpuFigure(`silent /authorize (${cost.perSecond.toFixed(0)}/s)`, cost, 3)];
  },
};

function authorizePath({ firstRun }: Subject, more: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams({
    client_id: firstRun.spa_client.client_id,
    response_type: 'code',
    redirect_uri: 'http://localhost:5555/callback',
    scope: 'openid profile',
    state: 'bench',
    code_challenge: createHash('sha256').update('bench').digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  });
  return `/authorize?${query}`;
}

/** Through the login page, as a browser without scripts; gives back its cookies. */
async function logIn(subject: Subject): Promise<string> {
  const { http_origin: origin, user } = subject.firstRun;
  const cookies = new Map<string, string>();
  let url = new URL(authorizePath(subject, {}), origin);
  let body: URLSearchParams | undefined;
  for (let step = 0; step < 10 && url.origin === origin; step++) {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), origin };
    const response = await fetch(url, { headers, redirect: 'manual', ...(body && { method: 'POST', body }) });
    body = undefined;
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';');
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const location = response.headers.get('location');
    if (location) {
      url = new URL(location, url);
      continue;
    }
    const page = await response.text();
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
    if (!action) throw new Error(`No form: ${page.slice(0, 200)}`);
    const hidden = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    body = new URLSearchParams(hidden.map(([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')]));
    body.set('username', user.email);
    body.set('password', user.password);
    url = new URL(action.replaceAll('&amp;', '&'), url);
  }
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}
