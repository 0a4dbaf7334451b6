import type { Exchange } from '../token/token-grant.ts';
import { exchangeErrors } from './exchange-errors.ts';
import type { TokenExchangeProfile } from './token-exchange-profile.ts';

export interface ExchangeRequest {
  readonly exchange: Exchange;
  readonly profile: TokenExchangeProfile;
  readonly subjectToken: string;
}

/** Lets the profile's action say whose tokens the subject token is exchanged for. */
export type RunExchangeAction = (request: ExchangeRequest) => Promise<never>;

/** Actions can't be run yet: every exchange ends here, as one whose action is not deployed would. */
export const runExchangeAction: RunExchangeAction = async ({ profile }) => {
  throw exchangeErrors.actionNotRun({ profile: profile.name });
};
