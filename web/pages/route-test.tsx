import { useState } from 'preact/hooks';
import { type ApiError, call, toApiError } from '../lib/api.ts';
import { formatCount } from '../lib/format.ts';
import { indent } from '../lib/indent.ts';
import { may } from '../lib/session.ts';
import { Panel } from '../parts/bits.tsx';
import { CopyBlock } from '../parts/copy.tsx';
import { Problem } from '../parts/problem.tsx';

interface TestResult {
  readonly looked_at: number;
  readonly matched: number;
  readonly condition_errors: number;
  readonly examples: readonly Example[];
}

interface Example {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** As it would go over the wire. */
function exampleText({ line, headers, body }: Example): string {
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [line, ...head, '', indent(body)].join('\n');
}

/** Which of the last messages it would send, without sending any. */
export function RouteTest({ path }: { readonly path: string }) {
  const [result, setResult] = useState<TestResult>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setResult(await call<TestResult>('POST', `${path}/test`, { body: { limit: 100 } }));
    } catch (thrown) {
      setError(toApiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel
      title="Dry run"
      aside={
        may('write') && (
          <button type="button" disabled={busy} onClick={() => void run()}>
            {busy ? 'Looking …' : 'Try the last 100 messages'}
          </button>
        )
      }
    >
      <Problem error={error} />
      {result === undefined ? (
        <p class="muted">Shows which of the last messages match and what would be sent. Sends nothing.</p>
      ) : (
        <div class="stacked" role="status">
          <p>
            {formatCount(result.matched)} of {formatCount(result.looked_at)} messages match
            {result.condition_errors > 0 &&
              `; the condition failed on ${formatCount(result.condition_errors)}`}
            .
          </p>
          {result.examples[0] !== undefined && (
            <CopyBlock label="The first, as it is sent" text={exampleText(result.examples[0])} />
          )}
        </div>
      )}
    </Panel>
  );
}
