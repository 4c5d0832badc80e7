import { useState } from 'preact/hooks';

/** A text to paste elsewhere. */
export function CopyBlock({
  label,
  text,
  id,
  autofocus = false,
}: {
  readonly label: string;
  readonly text: string;
  readonly id?: string;
  /** It is what a dialog that just opened is about. */
  readonly autofocus?: boolean;
}) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      // Plain http from another machine gives no clipboard: the text can still be selected.
      setState('failed');
    }
    setTimeout(() => setState('idle'), 2_000);
  };
  const said = { idle: 'Copy', copied: 'Copied', failed: 'Select and copy' }[state];
  return (
    <div class="copy">
      <div class="copy-head">
        <span>{label}</span>
        <button
          type="button"
          class="quiet"
          // biome-ignore lint/a11y/noAutofocus: the first thing to do in a dialog that was asked for
          autoFocus={autofocus}
          aria-live="polite"
          aria-label={`${said}: ${label}`}
          onClick={copy}
        >
          {said}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard */}
      <pre tabIndex={0} id={id}>
        {text}
      </pre>
    </div>
  );
}
