// What hooks refuse with. `code` is what the flow answers; `description` what a user may read.

class HookError extends Error {
  readonly code: string;

  constructor(name: string, code: string, message: unknown) {
    super(message === undefined || message === null ? '' : String(message));
    this.name = name;
    this.code = code;
  }
}

class InvalidScopeError extends HookError {
  constructor(message?: unknown) {
    super('InvalidScopeError', 'invalid_scope', message);
  }
}

class InvalidRequestError extends HookError {
  constructor(message?: unknown) {
    super('InvalidRequestError', 'invalid_request', message);
  }
}

class ServerError extends HookError {
  constructor(message?: unknown) {
    super('ServerError', 'server_error', message);
  }
}

/** The first text is for the log, the second one for who signs up. */
class PreUserRegistrationError extends HookError {
  readonly description: string | undefined;

  constructor(message?: unknown, userMessage?: unknown) {
    super('PreUserRegistrationError', 'extensibility_error', message);
    this.description = userMessage === undefined || userMessage === null ? undefined : String(userMessage);
  }
}

export const HOOK_ERRORS: Readonly<Record<string, unknown>> = {
  InvalidScopeError,
  InvalidRequestError,
  ServerError,
  PreUserRegistrationError,
};
