/** The name of the constraint that a failed statement violated: stores turn it into a declared error. */
export function violatedConstraint(cause: unknown): string | undefined {
  return isPostgresError(cause) ? cause.constraint : undefined;
}

function isPostgresError(cause: unknown): cause is { constraint?: string } {
  return cause instanceof Error && 'severity' in cause;
}
