import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenUser } from '../entries/entry.ts';
import type { Guard } from '../guard/create-guard.ts';
import { type HttpAnswer, lacksPermissions } from '../guard/decision.ts';
import { authorizationOf } from './authorization-of.ts';

declare global {
  namespace Express {
    // Merged with what others, as passport, say of a user.
    interface User extends TokenUser {}
    interface Request {
      user?: User | undefined;
      permissions?: readonly string[] | undefined;
    }
  }
}

/** Express 4 and 5, Connect and whatever else takes such functions. */
export type Middleware = (request: GuardedRequest, response: ServerResponse, next: (error?: unknown) => void) => void;

export interface GuardedRequest extends IncomingMessage {
  user?: TokenUser | undefined;
  permissions?: readonly string[] | undefined;
}

/** `app.use(authenticate(guard))`: only requests with a good token go on, with `request.user` and `request.permissions`. */
export function authenticate(guard: Guard): Middleware {
  return (request, response, next) => {
    guard
      .check(authorizationOf(request))
      .then((decision) => {
        if (decision.outcome !== 'granted') return send(response, decision.answer);
        request.user = decision.user;
        request.permissions = decision.permissions;
        next();
      })
      .catch(next);
  };
}

/** `app.get('/venues', requirePermissions('read:venues'), …)`: all of them, else 403. */
export function requirePermissions(...required: string[]): Middleware {
  return (request, response, next) => {
    const { permissions } = request;
    if (!permissions) return next(new Error('requirePermissions needs authenticate(guard) before it.'));
    if (required.every((permission) => permissions.includes(permission))) return next();
    send(response, lacksPermissions(required));
  };
}

function send(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  // Somebody who lost patience has answered already.
  if (response.headersSent) return;
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
}
