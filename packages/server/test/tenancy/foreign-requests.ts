import type { Response } from 'light-my-request';
import type { World, WorldRequest, WorldTenant } from '../world.ts';

export interface ForeignRequests {
  /** Asks dev, with what belongs to another tenant. */
  ask(request: Omit<WorldRequest, 'tenant'>): Promise<Response>;
  askToken(form: Readonly<Record<string, string>>): Promise<Response>;
  /** Those of these routes that nothing was asked of yet. */
  unasked(routes: readonly string[]): readonly string[];
}

/** Requests that remember their routes, so that a test can tell which ones it has left out. */
export function createForeignRequests(world: World): ForeignRequests {
  const asked = new Set<string>();

  function ask(request: Omit<WorldRequest, 'tenant'>): Promise<Response> {
    asked.add(`${request.method ?? (request.form ? 'POST' : 'GET')} ${request.path.split('?', 1)[0]}`);
    return world.request(request);
  }

  return {
    ask,
    askToken: (form) => ask({ path: '/oauth/token', form }),
    unasked: (routes) => routes.filter((route) => ![...asked].some((one) => isOf(route, one))),
  };
}

export function loginOf({ user }: WorldTenant): { username: string; password: string } {
  return { username: user.email, password: user.password };
}

export function cookiesOf(cookies: ReadonlyMap<string, string>): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

/** A cookie that someone moved: only its value can tell that it is not ours. */
export function renamed(cookies: ReadonlyMap<string, string>): string {
  return cookiesOf(new Map([...cookies].map(([name, value]) => [name.replace('acme', 'dev'), value])));
}

/** Whether a request was of a route, whose `{}` stands for a part of the path. */
function isOf(route: string, request: string): boolean {
  const [before = '', after] = route.split('{}');
  return after === undefined ? request === route : request.startsWith(before) && request.endsWith(after);
}
