import type { ActionStore } from '../../actions/action-store.ts';
import { prefixedId } from '../../kit/ids.ts';
import { type Json, textOf } from '../../kit/json-values.ts';
import type { Management } from '../../management/call.ts';
import {
  checkSubjectTokenType,
  EXCHANGE_TRIGGER,
  MOST_PROFILES,
  profileErrors,
  type TokenExchangeProfile,
} from './token-exchange-profile.ts';
import type { TokenExchangeProfileStore } from './token-exchange-profile-store.ts';

interface Stores {
  readonly actions: Pick<ActionStore, 'lock' | 'find'>;
  readonly tokenExchangeProfiles: TokenExchangeProfileStore;
}

/** /token-exchange-profiles of the Management API. */
export function tokenExchangeProfileRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { now }: { now: () => Date },
): void {
  management.route('GET /token-exchange-profiles', async (call) => {
    const { tokenExchangeProfiles } = call.stores;
    return call.list('token_exchange_profiles', {
      // The catalogue has no pages for this list, and no totals.
      page: async () => [],
      count: async () => 0,
      after: (position, limit) => tokenExchangeProfiles.after(call.tenant.tenantId, position, limit),
      cursorOf: ({ position }) => position,
      toWire: ({ profile }) => toWire(profile),
    });
  });

  management.route('POST /token-exchange-profiles', async (call) => {
    const { body, tenant } = call;
    const subjectTokenType = textOf(body.subject_token_type) ?? '';
    checkSubjectTokenType(subjectTokenType);
    const time = now();
    const profile: TokenExchangeProfile = {
      id: prefixedId('tep'),
      name: textOf(body.name) ?? '',
      subjectTokenType,
      actionId: textOf(body.action_id) ?? '',
      type: 'custom_authentication',
      createdAt: time,
      updatedAt: time,
    };
    return call.commit(async ({ actions, tokenExchangeProfiles }) => {
      // Nobody deletes it meanwhile, or gives it another trigger.
      await actions.lock(tenant.tenantId);
      const action = await actions.find(tenant.tenantId, profile.actionId);
      if (!action) throw profileErrors.noAction();
      if (!action.source.triggers.some(({ id }) => id === EXCHANGE_TRIGGER)) throw profileErrors.otherTrigger();
      if ((await tokenExchangeProfiles.lockedCount(tenant.tenantId)) >= MOST_PROFILES)
        throw profileErrors.tooMany({ maximum: MOST_PROFILES });
      await tokenExchangeProfiles.insert(tenant.tenantId, profile);
      return toWire(profile);
    });
  });

  management.route('GET /token-exchange-profiles/{id}', async (call) => {
    const profile = await call.stores.tokenExchangeProfiles.find(call.tenant.tenantId, call.params.id ?? '');
    if (!profile) throw profileErrors.notFound();
    return toWire(profile);
  });

  management.route('PATCH /token-exchange-profiles/{id}', async (call) => {
    const name = textOf(call.body.name);
    const subjectTokenType = textOf(call.body.subject_token_type);
    if (subjectTokenType !== undefined) checkSubjectTokenType(subjectTokenType);
    const change = { ...(name !== undefined && { name }), ...(subjectTokenType !== undefined && { subjectTokenType }) };
    return call.commit(async ({ tokenExchangeProfiles }) => {
      const { tenantId } = call.tenant;
      const profile = await tokenExchangeProfiles.update(tenantId, call.params.id ?? '', change, now());
      if (!profile) throw profileErrors.notFound();
      return toWire(profile);
    });
  });

  management.route('DELETE /token-exchange-profiles/{id}', async (call) =>
    call.commit((stores) => stores.tokenExchangeProfiles.remove(call.tenant.tenantId, call.params.id ?? '')),
  );
}

function toWire(profile: TokenExchangeProfile): Json {
  return {
    id: profile.id,
    name: profile.name,
    type: profile.type,
    subject_token_type: profile.subjectTokenType,
    action_id: profile.actionId,
    created_at: profile.createdAt.toISOString(),
    updated_at: profile.updatedAt.toISOString(),
  };
}
