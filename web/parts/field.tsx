import type { ComponentChildren, ComponentProps } from 'preact';

type InputAttributes = ComponentProps<'input'>;

export interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly hint?: ComponentChildren;
  readonly type?: 'text' | 'number' | 'password' | 'search' | 'datetime-local';
  readonly value?: string | number | null | undefined;
  readonly required?: boolean;
  readonly pattern?: string;
  readonly placeholder?: string;
  readonly autofocus?: boolean;
  readonly step?: string;
  readonly min?: string;
  readonly maxLength?: number;
}

export function Field({ label, name, hint, type = 'text', value, autofocus = false, ...rest }: FieldProps) {
  const hintId = `${name}-hint`;
  const attributes = {
    name,
    type,
    defaultValue: value ?? '',
    autocomplete: 'off',
    spellcheck: false,
    ...(hint === undefined ? {} : { 'aria-describedby': hintId }),
    ...rest,
  } as InputAttributes;
  return (
    <label class="field">
      <span>{label}</span>
      {/* biome-ignore lint/a11y/noAutofocus: the first field of a dialog that was asked for */}
      <input {...attributes} autoFocus={autofocus} />
      {hint !== undefined && (
        <small id={hintId} class="muted">
          {hint}
        </small>
      )}
    </label>
  );
}

export interface SelectProps {
  readonly label: string;
  readonly name?: string;
  readonly value: string;
  readonly options: readonly (readonly [string, string])[];
  readonly onChange?: (value: string) => void;
  readonly inline?: boolean;
}

export function Select({ label, name, value, options, onChange, inline = false }: SelectProps) {
  return (
    <label class={inline ? 'field inline' : 'field'}>
      <span>{label}</span>
      <select
        name={name}
        defaultValue={value}
        value={onChange === undefined ? undefined : value}
        onChange={(event) => onChange?.(event.currentTarget.value)}
      >
        {options.map(([key, text]) => (
          <option key={key} value={key} selected={key === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export const textOf = (form: FormData, name: string): string => String(form.get(name) ?? '').trim();

/** Null where the field is empty: back to the default. */
export function numberOf(form: FormData, name: string): number | null {
  const text = textOf(form, name);
  return text === '' ? null : Number(text);
}
