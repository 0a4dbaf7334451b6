// The error classes of rules and database scripts. What their members mean: name, code and description reach the
// caller as far as the flow lets them, the stack never does.

class ApplicationError extends Error {
  override readonly name: string = 'ApplicationError';
  readonly code: unknown;
  readonly description: unknown;
  readonly statusCode: number = 500;
  readonly additionalInformation: unknown;

  constructor(code?: unknown, message?: unknown, additionalInformation?: unknown) {
    super(text(message));
    this.code = code;
    this.description = this.message;
    if (additionalInformation !== undefined) this.additionalInformation = additionalInformation;
  }
}

class AuthorizationError extends ApplicationError {
  override readonly name: string = 'AuthorizationError';
  override readonly statusCode: number = 401;
}

class UnauthorizedError extends AuthorizationError {
  override readonly name: string = 'UnauthorizedError';

  constructor(message?: unknown) {
    super('unauthorized', message);
  }
}

class ValidationError extends ApplicationError {
  override readonly name: string = 'ValidationError';
  override readonly statusCode: number = 400;
}

/** The first argument says whether the user is known: with one, the log says wrong password; without, wrong user. */
class WrongUsernameOrPasswordError extends AuthorizationError {
  override readonly name: string = 'WrongUsernameOrPasswordError';
  readonly user_id: unknown;

  constructor(userId?: unknown, message?: unknown) {
    super('invalid_user_password', message ?? 'Wrong email or password.');
    this.user_id = userId;
  }
}

export const ERRORS: Readonly<Record<string, unknown>> = Object.fromEntries(
  [ApplicationError, AuthorizationError, UnauthorizedError, ValidationError, WrongUsernameOrPasswordError].map(
    (errorClass) => [errorClass.name, alsoWithoutNew(errorClass)],
  ),
);

/** They were functions once, and `callback(UnauthorizedError('…'))` worked. */
function alsoWithoutNew<T extends new (...given: never[]) => object>(errorClass: T): T {
  return new Proxy(errorClass, { apply: (target, _self, given) => Reflect.construct(target, given) });
}

function text(message: unknown): string {
  return message === undefined || message === null ? '' : String(message);
}
