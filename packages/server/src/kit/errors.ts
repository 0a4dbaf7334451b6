// Errors are declared once, with their wire code: `const userErrors = defineErrors({ … })`, thrown as
// `throw userErrors.notFound()`. Only the edge renders them, in the shape of its API family (http/render-error.ts).

export interface ErrorDeclaration {
  /** The HTTP status: the one HTTP word that a domain knows. */
  readonly status: number;
  /** The wire code: OAuth's `error`, the Management API's `errorCode`. Left out where Auth0 sends none. */
  readonly code?: string;
  /** The wire text; `{name}` is replaced by the parameter of that name. */
  readonly message: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Members that the wire body carries besides the usual ones, for example `policy` of a weak password. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Response headers that belong to the error, for example `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that was declared, and may therefore be told to the client as it is. */
export class DeclaredError extends Error {
  override readonly name = 'DeclaredError';
  readonly status: number;
  readonly code: string | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(declaration: ErrorDeclaration, message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = declaration.status;
    this.code = declaration.code;
    this.extra = options.extra ?? {};
    this.headers = options.headers ?? {};
  }
}

type Parameters = Readonly<Record<string, string | number>>;
type Thrower = (parameters?: Parameters, options?: ErrorOptions) => DeclaredError;

/** Turns a table of declarations into functions that make the errors. */
export function defineErrors<Name extends string>(table: Record<Name, ErrorDeclaration>): Record<Name, Thrower> {
  const throwers = {} as Record<Name, Thrower>;
  for (const name of Object.keys(table) as Name[]) {
    const declaration = table[name];
    throwers[name] = (parameters = {}, options = {}) =>
      new DeclaredError(declaration, fill(declaration.message, parameters), options);
  }
  return throwers;
}

function fill(message: string, parameters: Parameters): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}
