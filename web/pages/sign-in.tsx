import { useState } from 'preact/hooks';
import { type ApiError, toApiError } from '../lib/api.ts';
import { signedOutBecause } from '../lib/session.ts';
import { signIn } from '../lib/sign-in.ts';
import { Logo } from '../parts/logo.tsx';
import { Problem } from '../parts/problem.tsx';

export function SignIn() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = String(new FormData(form).get('key') ?? '').trim();
    setBusy(true);
    setError(undefined);
    try {
      await signIn(key);
    } catch (thrown) {
      setError(toApiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <div class="brand">
        <Logo />
        Tributary
      </div>
      <h1>Sign in</h1>
      {signedOutBecause.value !== '' && <p class="notice warn">{signedOutBecause.value}</p>}
      <form class="stacked" onSubmit={onSubmit}>
        <label class="field">
          <span>Key</span>
          <input
            name="key"
            type="password"
            required
            // biome-ignore lint/a11y/noAutofocus: the one thing to do on this page
            autoFocus
            autocomplete="current-password"
            aria-describedby="key-hint"
            spellcheck={false}
          />
          <small id="key-hint" class="muted">
            A tenant's key (<code>trk_…</code>) or an operator's (<code>trbop_…</code>).
          </small>
        </label>
        {error !== undefined && <Problem error={error} />}
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
      <details>
        <summary>I have no key</summary>
        <p>Whoever runs this installation makes one on its machine:</p>
        <pre class="payload">
          {'tributary operator-key add NAME\ntributary key add TENANT NAME --level write'}
        </pre>
      </details>
    </main>
  );
}
