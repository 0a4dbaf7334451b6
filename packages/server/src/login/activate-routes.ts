import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from '../clients/client.ts';
import type { Transact } from '../db/transact.ts';
import type { TenantCookie } from '../http/cookies.ts';
import { equalSecrets, keyedDigest } from '../kit/digest.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import { aboutOf, descriptionOf, explanationOf } from '../logs/explain-error.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { FindSession, LivingSession } from '../oauth/authorize/find-session.ts';
import type { Proceed } from '../oauth/authorize/proceed.ts';
import { activationErrors, type DeviceCode } from '../oauth/device/device-code.ts';
import type { DeviceCodeStore } from '../oauth/device/device-code-store.ts';
import { formatUserCode, normalizeUserCode } from '../oauth/device/user-code.ts';
import { queryForm } from '../oauth/parameters.ts';
import type { Redirect } from '../pipeline/outcome.ts';
import type { BeginLogin, LoginPage } from './begin-login.ts';
import { browserSecret } from './browser-secret.ts';
import type { FindDevice } from './find-device.ts';
import type { LoginPurpose } from './login-purposes.ts';
import type { LoginProgress } from './login-transaction-store.ts';
import { postedForm } from './posted-form.ts';
import type { SendPage } from './send-page.ts';
import type { SuspendLogin } from './suspend-login.ts';

interface Stores {
  readonly deviceCodes: Pick<DeviceCodeStore, 'deny'>;
  readonly record: RecordEvent;
}

interface Parts {
  readonly browserCookie: TenantCookie;
  readonly findDevice: FindDevice;
  readonly purpose: LoginPurpose;
  readonly findSession: FindSession;
  readonly proceed: Proceed;
  readonly beginLogin: BeginLogin;
  readonly suspendLogin: SuspendLogin;
  readonly transact: Transact<Stores>;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
}

const OPTIONS = { config: { errors: 'page' }, bodyLimit: 65_536 } as const;

/**
 * /activate (RFC 8628 section 3.3): the user types the code that the device shows, compares it and the application's name,
 * and says yes before anything else happens, so that a link from a stranger lets nobody in by itself (section 5.4).
 */
export function activateRoutes(app: FastifyInstance, parts: Parts): void {
  const { browserCookie, findDevice, purpose, findSession, proceed, transact, recordAlone, sendPage } = parts;
  const { beginLogin, suspendLogin } = parts;

  app.get('/activate', OPTIONS, async (http, reply) => {
    const browser = browserSecret(browserCookie, http, reply);
    const typed = queryForm(http).values.user_code;
    return typed === undefined ? showEntry(http, reply, browser) : lookUp(http, reply, browser, typed);
  });

  app.post('/activate', OPTIONS, async (http, reply) => {
    const { fields, browser } = readForm(http, 'activate');
    return lookUp(http, reply, browser, fields.user_code ?? '');
  });

  app.post('/activate/confirm', OPTIONS, async (http, reply) => {
    const given = postedForm(http);
    const code = normalizeUserCode(given.user_code) ?? '';
    const { fields, browser } = readForm(http, `activate ${code}`);
    // A guess like any other: who makes up a browser's secret can make the token for a code that no page has shown.
    const found = await findDevice.byUserCode(http.tenant.tenantId, http.requester.ip, code);
    if (!found) throw activationErrors.over();
    const { device, client } = found;
    if (fields.action === 'confirm') return confirm(http, reply, device, client);
    if (fields.action !== 'cancel') return showConfirmation(http, reply, browser, code, client);
    return cancel(http, reply, device, client);
  });

  for (const outcome of ['success', 'failure'] as const) {
    app.get(`/activate/${outcome}`, OPTIONS, (http, reply) =>
      sendPage(http, reply, 'device-done', { isConnected: outcome === 'success' }),
    );
  }

  /** A posted form needs the token that only our page has, and for a confirmation that of this very code. */
  function readForm(http: FastifyRequest, what: string) {
    const fields = postedForm(http);
    const browser = browserCookie.read(http);
    if (!browser) throw authorizePageErrors.cookiesMissing();
    if (!equalSecrets(fields._csrf ?? '', csrfToken(browser, what))) throw authorizePageErrors.foreignOrigin();
    return { fields, browser };
  }

  /** Every code that is none looks the same: one that never was, one that is used and one that is another tenant's (attack L5). */
  async function lookUp(http: FastifyRequest, reply: FastifyReply, browser: string, typed: string) {
    const { tenant, requester } = http;
    const found = await findDevice.byUserCode(tenant.tenantId, requester.ip, typed);
    if (found) return showConfirmation(http, reply, browser, found.code, found.client);
    await recordAlone(tenant.tenantId, {
      ...requester,
      type: 'deviceActivationFailed',
      description: activationErrors.invalidCode().message,
    });
    return showEntry(http, reply, browser, 'invalid-code');
  }

  async function confirm(http: FastifyRequest, reply: FastifyReply, device: DeviceCode, client: Client) {
    const login = { kind: 'device', clientId: client.clientId, request: { device: device.deviceCodeHash } } as const;
    const open = await purpose.open(http, login.request);
    let living: LivingSession | undefined;
    try {
      const { request, answer } = await open.check();
      living = await findSession(http, request);
      if (living) {
        const { sessionId } = living.session;
        const interact = (page: LoginPage, progress: LoginProgress) =>
          beginLogin(http, reply, { ...login, sessionId, progress: { ...progress, bySession: true } }, page);
        const leave = (redirect: Redirect, progress: LoginProgress) =>
          suspendLogin(http, reply, { ...login, sessionId, progress: { ...progress, bySession: true } }, redirect);
        if (await proceed(http, reply, { request, living, answer, interact, leave })) return reply;
      }
    } catch (error) {
      // The client may not have what its device asks for: the device is told.
      if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
      await recordAlone(http.tenant.tenantId, {
        ...failure(http, client, 'deviceActivationFailed', descriptionOf(error)),
        ...(living && { userId: living.user.userId }),
        ...aboutOf(error),
        details: { error: { message: descriptionOf(error), oauthError: error.code }, ...explanationOf(error) },
      });
      return open.refuse(http, reply, error);
    }
    return beginLogin(http, reply, login, '/u/login');
  }

  async function cancel(http: FastifyRequest, reply: FastifyReply, device: DeviceCode, client: Client) {
    const { tenantId } = http.tenant;
    const isCancelled = await transact(async ({ deviceCodes, record }) => {
      if (!(await deviceCodes.deny(tenantId, device.deviceCodeHash))) return false;
      await record(tenantId, failure(http, client, 'deviceConfirmationCancelled', 'User cancelled the confirmation.'));
      return true;
    });
    if (!isCancelled) throw activationErrors.over();
    return reply.header('cache-control', 'no-store').redirect('/activate/failure', 303);
  }

  function showEntry(http: FastifyRequest, reply: FastifyReply, browser: string, error?: 'invalid-code') {
    const csrf = csrfToken(browser, 'activate');
    return sendPage(http, reply, 'device-code', { csrfToken: csrf, ...(error && { error }) }, error ? 400 : 200);
  }

  async function showConfirmation(
    http: FastifyRequest,
    reply: FastifyReply,
    browser: string,
    code: string,
    client: Client,
  ): Promise<FastifyReply> {
    const living = await findSession(http, { client, connection: undefined });
    return sendPage(http, reply, 'device-confirmation', {
      csrfToken: csrfToken(browser, `activate ${code}`),
      userCode: formatUserCode(http.tenant, code),
      clientName: client.name,
      ...(client.logoUri && { clientLogoUrl: client.logoUri }),
      ...(living && { userName: living.user.email ?? living.user.username ?? living.user.userId }),
    });
  }
}

function csrfToken(browser: string, what: string): string {
  return keyedDigest(Buffer.from(browser), `csrf ${what}`);
}

function failure(
  { requester }: FastifyRequest,
  client: Client,
  type: 'deviceActivationFailed' | 'deviceConfirmationCancelled',
  description: string,
): AuditEvent {
  return { ...requester, type, description, clientId: client.clientId, clientName: client.name };
}
