import type { LoginPage } from '../../login/begin-login.ts';
import type { LoginRequest } from './authorization-request.ts';

/** Where a user who has to prove who they are begins (`screen_hint`). Pages that a directory closes lead to /u/login themselves. */
export function firstPageOf({ screenHint }: Pick<LoginRequest, 'screenHint'>): LoginPage {
  if (screenHint === 'signup') return '/u/signup';
  return screenHint === 'reset-password' ? '/u/reset-password/request' : '/u/login';
}
