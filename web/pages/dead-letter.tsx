import { apiPath, get } from '../lib/api.ts';
import { useResource } from '../lib/resource.ts';
import { to } from '../lib/router.ts';
import type { DeadLetterDetails } from '../lib/types.ts';
import { Facts, Time } from '../parts/bits.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';

interface DeadLetterProps {
  readonly tenant: string;
  readonly id: number | string;
  readonly onClose: () => void;
}

export function DeadLetterDialog({ tenant, id, onClose }: DeadLetterProps) {
  const path = apiPath('tenants', tenant, 'dead-letters', String(id));
  const letter = useResource(path, (signal) => get<DeadLetterDetails>(path, {}, { signal }));
  const found = letter.data;
  return (
    <Dialog title={`Dead letter ${id}`} onClose={onClose}>
      <div class="stacked letter-room">
        <Problem error={letter.error} retry={letter.reload} />
        {found !== undefined && (
          <>
            <Facts
              rows={[
                ['Reason', found.reason],
                [
                  'Route',
                  <a key="route" href={to('t', tenant, 'routes', found.route_name)}>
                    {found.route_name}
                  </a>,
                ],
                ['Attempts', found.attempts],
                ['Matched', <Time key="first" at={found.first_at} />],
                ['Given up', <Time key="dead" at={found.dead_at} />],
                ['Device', found.device_id ?? 'not stored any more'],
              ]}
            />
            <p>{found.detail}</p>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard */}
            <section class="payload" tabIndex={0} aria-label="What was to be sent">
              <pre>
                {JSON.stringify(found.event ?? { metrics: found.metrics, ...asObject(found.extra) }, null, 2)}
              </pre>
            </section>
          </>
        )}
      </div>
    </Dialog>
  );
}

const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
