import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import type { ServerProcess } from '../server-process.ts';
import { type ExpressApplication, startExpress } from './express-application.ts';

/** A customer's API whose tokens express-oauth2-jwt-bearer checks; GET /items needs the scope read:items. */
export function startApi({ origin, firstRun }: ServerProcess): Promise<ExpressApplication> {
  return startExpress((app) => {
    app.get(
      '/items',
      auth({ issuerBaseURL: origin, audience: firstRun.api.identifier }),
      requiredScopes('read:items'),
      (request, response) => response.json({ scope: request.auth?.payload.scope }),
    );
  });
}
