import type { Client } from '../clients/client.ts';
import type { Connection } from '../connections/connection.ts';
import type { Requester } from '../logs/event.ts';
import type { Target } from '../oauth/access/resolve-access.ts';
import type { ListedRefreshToken } from '../oauth/refresh/refresh-token-list-store.ts';
import type { SessionPast } from '../sessions/session-store.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { User } from '../users/user.ts';
import type { Suspended } from './outcome.ts';

/** What a flow knows once it knows the user: all that rules and actions are told comes of this. */
export interface LoginFacts {
  readonly tenant: Tenant;
  /** The origin that answers: the issuer of the tokens. */
  readonly origin: string;
  readonly client: Client;
  readonly connection: Connection;
  readonly user: User;
  /** The browser's session; none in the password grant, nor where a refresh token has outlived its own. */
  readonly session: SessionFacts | undefined;
  readonly request: RequestFacts;
  readonly protocol: Protocol;
  /** `silent`: prompt=none. `backchannel`: no browser is there that could be sent anywhere. */
  readonly flow: 'browser' | 'silent' | 'backchannel';
  readonly target: Target;
  /** What was asked for; undefined where nothing was. */
  readonly scope: string | undefined;
  readonly redirectUri: string | undefined;
  /** How often the user has logged in, this login included; a silent one does not count. */
  readonly loginsCount: number;
  /** How the user proves who they are in a flow without a session. */
  readonly methods?: readonly MethodFact[];
  /** The refresh token that is exchanged. */
  readonly refreshToken?: RefreshTokenFacts;
  /** How somebody else's token became this login. */
  readonly tokenExchange?: TokenExchangeFacts;
  /** A pipeline that was left for another page, and goes on. */
  readonly resumed?: Resumed;
}

export interface TokenExchangeFacts {
  readonly subjectTokenType: string;
  readonly actorTokenType?: string;
  /** Who acts for the user, as the profile's action says (RFC 8693 section 4.1). */
  readonly actor?: Readonly<Record<string, unknown>>;
  /** What that action left for those of the login. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface SessionFacts {
  readonly sessionId: string;
  readonly authenticatedAt: Date;
  /** It was there before: nobody logged in just now. */
  readonly isSingleSignOn: boolean;
}

/** Where the pipeline goes on, and with which request it was called back. */
export interface Resumed {
  readonly suspended: Suspended;
  /** The request to /continue: `request` above stays that of the login. */
  readonly request: RequestFacts;
}

/** The request that asked for the login: of a browser the one to /authorize, whatever pages came in between. */
export interface RequestFacts {
  /** The log names all of it; tenant code sees address, agent and host. */
  readonly requester: Requester;
  readonly method: string;
  /** Without secrets, as in `body`. */
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RefreshTokenFacts {
  readonly tokenId: string;
  readonly grantId: string;
}

/** `timestamp` is an ISO text. */
export interface MethodFact {
  readonly name: string;
  readonly timestamp: string;
}

/** `context.protocol` of rules and `event.transaction.protocol` of actions. A resumed pipeline of rules has its own. */
export type Protocol =
  | 'oidc-basic-profile'
  | 'oidc-implicit-profile'
  | 'oidc-hybrid-profile'
  | 'oauth2-device-code'
  | 'oauth2-password'
  | 'oauth2-refresh-token'
  | 'oauth2-token-exchange';

/** The facts, and what is looked up only where a tenant has code that could ask for it. */
export interface KnownFacts extends LoginFacts {
  /** How the user proved who they are, the history of the session. */
  readonly methods: readonly MethodFact[];
  /** Names of the user's roles. */
  readonly roles: readonly string[];
  /** Ids of the applications that the session has logged in. */
  readonly sessionClients: readonly string[];
  /** What was noted in the session. */
  readonly sessionMetadata: Readonly<Record<string, unknown>>;
  /** Of the session; none where it ended meanwhile. */
  readonly sessionPast?: SessionPast;
  /** Of the refresh token that is exchanged; none where it ended meanwhile. */
  readonly refreshTokenPast?: ListedRefreshToken;
}
