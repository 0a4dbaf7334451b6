import type { Context, MiddlewareHandler } from 'hono';
import type { TokenUser } from '../entries/entry.ts';
import type { Guard } from '../guard/create-guard.ts';
import { type HttpAnswer, lacksPermissions } from '../guard/decision.ts';

/** `new Hono<{ Variables: GuardVariables }>()` where a handler is not typed by the middleware before it. */
export interface GuardVariables {
  user: TokenUser;
  permissions: readonly string[];
}

type Guarded = MiddlewareHandler<{ Variables: GuardVariables }>;

/** `app.use(authenticate(guard))`: only requests with a good token go on, with `c.var.user` and `c.var.permissions`. */
export function authenticate(guard: Guard): Guarded {
  return async (c, next) => {
    const decision = await guard.check(c.req.header('authorization'));
    if (decision.outcome !== 'granted') return send(c, decision.answer);
    c.set('user', decision.user);
    c.set('permissions', decision.permissions);
    await next();
  };
}

/** `app.get('/venues', requirePermissions('read:venues'), …)`: all of them, else 403. */
export function requirePermissions(...required: string[]): Guarded {
  return async (c, next) => {
    const permissions: readonly string[] | undefined = c.get('permissions');
    if (!permissions) throw new Error('requirePermissions needs authenticate(guard) before it.');
    if (!required.every((permission) => permissions.includes(permission))) return send(c, lacksPermissions(required));
    await next();
  };
}

function send(c: Context, { status, headers, body }: HttpAnswer): Response {
  return c.json(body, status, { ...headers });
}
