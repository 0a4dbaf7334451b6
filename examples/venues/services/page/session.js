// The session of this page: an access token in a variable, never in storage. It is renewed before it expires, and once more where the
// API says 401 all the same.
const RENEW_BEFORE_SECONDS = 60;

export class RequestError extends Error {
  constructor(status, body) {
    super(body?.error_description ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body?.error;
  }
}

/** `onRenewed` is told of each new token, `onEnded` when a new login is needed, `onRequest` of what was asked and answered. */
export function createSession({ onRenewed, onEnded, onRequest }) {
  let token;
  let from;
  let timer;
  let renewing;

  function keep({ access_token, expires_at }) {
    token = access_token;
    from = Date.now();
    clearTimeout(timer);
    const seconds = expires_at - from / 1000;
    // A short life is used for its most part.
    const wait = Math.max(seconds - RENEW_BEFORE_SECONDS, seconds * 0.8, 1);
    timer = setTimeout(() => renew().catch(() => {}), Math.min(wait, 86_400) * 1000);
    return { from: new Date(from), until: new Date(expires_at * 1000), claims: claimsOf(access_token) };
  }

  function end() {
    clearTimeout(timer);
    token = undefined;
    renewing = undefined;
  }

  /** One renewal for all who want one. Other tabs may renew too: the backend rotates once for all. */
  function renew() {
    if (renewing) return renewing;
    const own = renewOf(token).finally(() => {
      if (renewing === own) renewing = undefined;
    });
    renewing = own;
    return own;
  }

  async function renewOf(old) {
    try {
      const answer = await send('/session/refresh', { method: 'POST' });
      // Whoever logged out meanwhile, and who may have logged in since, is not given the session of before.
      if (token !== old) throw new RequestError(401, { error_description: 'Your session has ended.' });
      onRenewed(keep(answer));
    } catch (error) {
      if (token === old && error.status === 401) {
        end();
        onEnded();
      }
      throw error;
    }
  }

  async function send(url, init = {}) {
    const headers = { ...init.headers, ...(token && { authorization: `Bearer ${token}` }) };
    const began = performance.now();
    let status;
    try {
      const response = await fetch(url, { ...init, headers, credentials: 'omit', cache: 'no-store' });
      status = response.status;
      return await readAnswer(response);
    } finally {
      onRequest({ method: init.method ?? 'GET', url, status, milliseconds: performance.now() - began });
    }
  }

  async function readAnswer(response) {
    const body = response.status === 204 ? undefined : await response.json().catch(() => undefined);
    if (!response.ok) throw new RequestError(response.status, body);
    return body;
  }

  return {
    isOpen: () => token !== undefined,
    async login(email, password) {
      const answer = await send('/session/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password }),
      });
      return { ...keep(answer), user: answer.user };
    },
    renew,
    /** Asks with the token; where it was refused, once more with a new one. */
    async ask(url, init) {
      try {
        return await send(url, init);
      } catch (error) {
        if (error.status !== 401) throw error;
        await renew();
        return send(url, init);
      }
    },
    async logout() {
      const ended = send('/session/logout', { method: 'POST' });
      end();
      await ended;
    },
  };
}

/** To be shown, not to be believed: nobody checks the signature here. */
function claimsOf(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0))));
  } catch {
    return {};
  }
}
