import { isDatabaseAway } from '../db/database-away.ts';
import type { Transact } from '../db/transact.ts';
import type { Log } from '../kit/log.ts';
import { signDelivery } from '../log-streams/sign-delivery.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { CallOut } from '../outgoing/http-client.ts';
import { OutgoingError } from '../outgoing/outgoing-error.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { AlertSettingsStore } from './alert-settings-store.ts';
import type { Notice, NoticeStore } from './notice-store.ts';
import { slackText } from './slack-text.ts';

interface Parts {
  readonly notices: Pick<NoticeStore, 'claim'>;
  readonly settings: Pick<AlertSettingsStore, 'find' | 'signingSecret'>;
  readonly transact: Transact<{
    readonly alertNotices: Pick<NoticeStore, 'finish' | 'postpone'>;
    readonly record: RecordEvent;
  }>;
  readonly findTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly callOut: CallOut;
  readonly log: Log;
  readonly now: () => Date;
}

const AT_ONCE = 10;
const TIMEOUT_MILLISECONDS = 10_000;
const LEASE_MILLISECONDS = 60_000;
/** Between the attempts: some two hours. What comes later than that is no alert any more. */
const PAUSES_IN_SECONDS = [10, 60, 300, 1_200, 3_600];
const LOST = 'Its address or secret could not be decrypted any more: enter it again.';

/** Sends what is due to the webhooks, at least once: a process that is killed leaves it to the next look. */
export function createNoticeSender({ notices, settings, transact, findTenant, callOut, log, now }: Parts) {
  return async function sendDue(): Promise<void> {
    const leaseEnd = new Date(now().getTime() + LEASE_MILLISECONDS);
    const due = await notices.claim(now(), leaseEnd, AT_ONCE);
    await Promise.all(due.map((notice) => send(notice).catch(complain)));
  };

  async function send(notice: Notice): Promise<void> {
    const { tenantId } = notice;
    const [tenant, { webhook, isWebhookLost }] = await Promise.all([findTenant(tenantId), settings.find(tenantId)]);
    // Gone, or switched off since.
    const sent = tenant && webhook ? await attempt(tenant, webhook, notice) : undefined;
    const fault = isWebhookLost ? LOST : sent;
    const pause = isWebhookLost ? undefined : PAUSES_IN_SECONDS[notice.attempts - 1];
    await transact(async ({ alertNotices, record }) => {
      if (fault !== undefined && pause !== undefined) {
        // A fifth more or less, so that what failed together does not come again together.
        const milliseconds = pause * 1_000 * (0.8 + Math.random() * 0.4);
        await alertNotices.postpone(notice, new Date(now().getTime() + milliseconds));
        return;
      }
      if (!(await alertNotices.finish(notice)) || fault === undefined) return;
      await record(tenantId, {
        type: 'notificationFailed',
        description: `An alert could not be sent to the webhook: ${fault}`,
        details: { notice_id: notice.noticeId, attempts: notice.attempts },
      });
    });
  }

  /** What went wrong, in words for the log. */
  async function attempt(
    tenant: Tenant,
    { url, format }: { readonly url: string; readonly format: 'json' | 'slack' },
    notice: Notice,
  ): Promise<string | undefined> {
    const body = JSON.stringify(format === 'slack' ? { text: slackText(notice.content) } : notice.content);
    const secret = await settings.signingSecret(tenant.tenantId);
    const delivery = { firstLogId: notice.noticeId, count: 1, body, at: now(), isReplay: false };
    try {
      const { status } = await callOut({
        url,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...signDelivery(secret === undefined ? [] : [secret], delivery),
        },
        body,
        mayReachLoopback: tenant.environment === 'development',
        timeoutMilliseconds: TIMEOUT_MILLISECONDS,
        mostBytes: 65_536,
        // Its status says it: whatever it answers besides, it has the notice.
        cutsBody: true,
      });
      return status >= 200 && status < 300 ? undefined : `It answered with the status ${status}.`;
    } catch (error) {
      if (error instanceof OutgoingError) return error.message;
      throw error;
    }
  }

  function complain(error: unknown): void {
    if (!isDatabaseAway(error)) log.error('an alert could not be sent', { error });
  }
}
