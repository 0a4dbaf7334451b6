import { isObject, oneOf, textOf, textsOf } from '../kit/json-values.ts';
import { newSigningSecret } from '../log-streams/sign-delivery.ts';
import type { Management } from '../management/call.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type Alert, alertErrors, toWire } from './alert.ts';
import { type AlertSettings, isMaskedAddress, maskAddress, NOBODY } from './alert-settings.ts';
import type { AlertSettingsStore } from './alert-settings-store.ts';
import type { AlertStore } from './alert-store.ts';

type Webhook = NonNullable<AlertSettings['webhook']>;

interface Stores {
  readonly alerts: AlertStore;
  readonly alertSettings: AlertSettingsStore;
}

const ADDRESS = /^[^\s"(),:;<>@[\\\]\p{Cc}\p{Cf}]{1,64}@[^\s"(),:;<>@[\\\]\p{Cc}\p{Cf}]{1,189}$/u;

/** /gatewright/alerts and who is told of them: beyond Auth0's API. */
export function alertRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { now }: { readonly now: () => Date },
): void {
  management.route('GET /gatewright/alerts', (call) => {
    const { tenantId } = call.tenant;
    const status = oneOf(['open', 'resolved'] as const, call.query.status);
    return call.list<Alert>('alerts', {
      page: (offset, limit) => call.stores.alerts.list(tenantId, status, offset, limit),
      count: () => call.stores.alerts.count(tenantId, status),
      toWire,
    });
  });

  management.route('GET /gatewright/alerts/{id}', async (call) => {
    const alert = await call.stores.alerts.find(call.tenant.tenantId, call.params.id ?? '');
    if (!alert) throw alertErrors.notFound();
    return toWire(alert);
  });

  management.route('PATCH /gatewright/alerts/{id}', (call) => {
    const hours = call.body.mute_hours;
    const until = typeof hours === 'number' && hours > 0 ? new Date(now().getTime() + hours * 3_600_000) : null;
    return call.commit(async ({ alerts }) => {
      const alert = await alerts.mute(call.tenant.tenantId, call.params.id ?? '', until);
      if (!alert) throw alertErrors.notFound();
      return toWire(alert);
    });
  });

  management.route('GET /gatewright/alert-settings', async (call) => {
    return settingsToWire(await call.stores.alertSettings.find(call.tenant.tenantId));
  });

  // Whole, not merged: what is left out is switched off.
  management.route('PUT /gatewright/alert-settings', (call) => {
    const { tenant, body } = call;
    const given = settingsFrom(tenant, body);
    return call.commit(async ({ alertSettings }) => {
      const before = await alertSettings.lock(tenant.tenantId);
      const settings = { ...given, webhook: given.webhook && withAddress(given.webhook, before) };
      // A new receiver gets a secret of its own, shown this once.
      const isNew = settings.webhook !== undefined && settings.webhook.url !== before.webhook?.url;
      const secret = isNew || (settings.webhook && body.rotate_secret === true) ? newSigningSecret() : undefined;
      await alertSettings.save(tenant.tenantId, settings, secret, now());
      return { ...settingsToWire(settings), ...(secret !== undefined && { signing_secret: secret }) };
    });
  });
}

function settingsFrom(tenant: Tenant, body: Readonly<Record<string, unknown>>): AlertSettings {
  const mailTo = [...new Set(textsOf(body.mail_to))];
  const wrong = mailTo.find((address) => !ADDRESS.test(address));
  if (wrong !== undefined) throw alertErrors.badAddress({ address: wrong.slice(0, 100) });
  if (!isObject(body.webhook)) return { ...NOBODY, mailTo };
  const url = textOf(body.webhook.url) ?? '';
  if (!mayBeCalled(url, tenant)) throw alertErrors.badWebhook();
  const format = oneOf(['json', 'slack'] as const, body.webhook.format) ?? 'json';
  return { ...NOBODY, webhook: { url, format }, mailTo };
}

/** What GET has shown may come back: the address stays. */
function withAddress(given: Webhook, before: AlertSettings): Webhook {
  if (!isMaskedAddress(given.url)) return given;
  if (before.webhook === undefined || maskAddress(before.webhook.url) !== given.url) throw alertErrors.maskedWebhook();
  return { ...given, url: before.webhook.url };
}

/** Where it leads is checked when it is called (attack E1). */
function mayBeCalled(url: string, { environment }: Tenant): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  const isKnown = protocol === 'https:' || (protocol === 'http:' && environment === 'development');
  return isKnown && username === '' && password === '';
}

/** The address of a chat's webhook is its password: nobody gets it back. */
function settingsToWire({ webhook, isWebhookLost, mailTo }: AlertSettings) {
  return {
    webhook: webhook ? { ...webhook, url: maskAddress(webhook.url) } : null,
    ...(isWebhookLost && { webhook_error: 'It could not be decrypted any more: enter it again.' }),
    mail_to: mailTo,
  };
}
