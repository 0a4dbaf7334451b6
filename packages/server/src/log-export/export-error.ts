/** Why an export ends before its time, in words for its operator. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}
