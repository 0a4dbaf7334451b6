import type { FastifyPluginCallback, onRequestHookHandler } from 'fastify';
import type { TokenUser } from '../entries/entry.ts';
import type { Guard } from '../guard/create-guard.ts';
import { lacksPermissions } from '../guard/decision.ts';
import { authorizationOf } from './authorization-of.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined where no guard is registered. */
    user: TokenUser | undefined;
    permissions: readonly string[] | undefined;
  }
}

/**
 * `app.register(authenticate(guard))`: every route of this scope wants a good token, and has `request.user` and
 * `request.permissions`. Routes for everybody belong in another scope.
 */
export function authenticate(guard: Guard): FastifyPluginCallback {
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    for (const name of ['user', 'permissions'] as const)
      if (!app.hasRequestDecorator(name)) app.decorateRequest(name, undefined);
    app.addHook('onRequest', async (request, reply) => {
      const decision = await guard.check(
        authorizationOf({ headers: request.headers, rawHeaders: request.raw.rawHeaders }),
      );
      if (decision.outcome !== 'granted') {
        const { status, headers, body } = decision.answer;
        return reply.code(status).headers(headers).send(body);
      }
      request.user = decision.user;
      request.permissions = decision.permissions;
    });
    done();
  };
  // The scope that registers it is meant, not one below that would hold no routes.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

/** `app.get('/venues', { onRequest: requirePermissions('read:venues') }, …)`: all of them, else 403. */
export function requirePermissions(...required: string[]): onRequestHookHandler {
  return (request, reply, done) => {
    const { permissions } = request;
    if (!permissions) return done(new Error('requirePermissions needs authenticate(guard) in its scope.'));
    if (required.every((permission) => permissions.includes(permission))) return done();
    const { status, headers, body } = lacksPermissions(required);
    reply.code(status).headers(headers).send(body);
  };
}
