import { isDeepStrictEqual } from 'node:util';
import type { User } from '../users/user.ts';
import { toWire } from '../users/user-wire.ts';
import type { Decisions, Redirect, Suspended } from './outcome.ts';

/** While the user is away, what code changed of the profile is kept, and not the profile: it may be another by then. */
export function leaveWith(user: User, redirect: Redirect): Redirect {
  const { suspended } = redirect;
  const before = new Map(Object.entries(toWire(user)));
  const changed = Object.entries(suspended.decisions.user).filter(
    ([name, value]) => !isDeepStrictEqual(value, before.get(name)),
  );
  return {
    ...redirect,
    suspended: { ...suspended, decisions: { ...suspended.decisions, user: Object.fromEntries(changed) } },
  };
}

/** The decisions of a pipeline that goes on, about the user as it is by now. */
export function comeBackWith(user: User, { decisions }: Suspended): Decisions {
  return { ...decisions, user: { ...toWire(user), ...decisions.user } };
}
