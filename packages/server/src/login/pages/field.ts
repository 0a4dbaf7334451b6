/** One labelled input, as field.liquid draws it. */
export interface FieldView {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'email' | 'password';
  readonly value: string;
  readonly autocomplete: string;
  readonly isFocused: boolean;
  readonly error: string | null;
  /** The ids that aria-describedby names, in reading order. */
  readonly describedBy: string | null;
}

type FieldOptions = Omit<FieldView, 'value' | 'describedBy' | 'error'> & {
  readonly value?: string;
  readonly error: string | null;
  /** The id of an explanation elsewhere on the page. */
  readonly hintId?: string;
};

export function field({ value = '', hintId, ...given }: FieldOptions): FieldView {
  const ids = [...(given.error === null ? [] : [`${given.name}-error`]), ...(hintId === undefined ? [] : [hintId])];
  // A password is never sent back; what was typed into other fields is.
  const kept = given.type === 'password' ? '' : value.slice(0, 320);
  return { ...given, value: kept, describedBy: ids.length === 0 ? null : ids.join(' ') };
}
