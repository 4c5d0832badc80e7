/** Whether messages flow from this door into the database, as `GET /flow` shows it. */
export interface Flow {
  readonly flowing: boolean;
  /** From the door to the committed row, as the last canary measured it, in ms. */
  readonly doorToRowMs: number | undefined;
  /** When the last canary came through, in ms since the epoch. */
  readonly lastSettledAtMs: number | undefined;
  readonly backlog:
    | {
        readonly pending: number;
        readonly ackPending: number;
        readonly streamBytes: number;
        readonly streamMaxBytes: number;
        readonly drainedPerSecond: number;
      }
    | undefined;
  /** What a 202 withstands; undefined while that is not known. */
  readonly durability: string | undefined;
  /** Sequences without an outcome, by the last audit; undefined while none is known. */
  readonly unaccounted: number | undefined;
  /** One sentence each; none when all flows. */
  readonly problems: readonly string[];
}

/** `GET /flow`: 200 while messages flow, 503 while they do not. Documented in docs/reference/http.md. */
export function createFlowRoute(flow: () => Flow) {
  return (): Response => {
    const seen = flow();
    const headers = { 'Cache-Control': 'no-store', ...(seen.flowing ? {} : { 'Retry-After': '5' }) };
    return Response.json(flowAsJson(seen), { status: seen.flowing ? 200 : 503, headers });
  };
}

function flowAsJson(flow: Flow): unknown {
  const { flowing, doorToRowMs, lastSettledAtMs, backlog, durability, unaccounted, problems } = flow;
  return {
    flowing,
    door_to_row_ms: doorToRowMs === undefined ? null : Math.round(doorToRowMs * 10) / 10,
    last_settled_at: lastSettledAtMs === undefined ? null : new Date(lastSettledAtMs).toISOString(),
    backlog: backlog === undefined ? null : backlogAsJson(backlog),
    durability: durability ?? null,
    unaccounted: unaccounted ?? null,
    problems,
  };
}

function backlogAsJson(backlog: Exclude<Flow['backlog'], undefined>): unknown {
  const { pending, ackPending, streamBytes, streamMaxBytes, drainedPerSecond } = backlog;
  return {
    pending,
    ack_pending: ackPending,
    bytes: streamBytes,
    max_bytes: streamMaxBytes,
    // -1: the stream has no limit.
    full_percent: streamMaxBytes > 0 ? Math.round((1_000 * streamBytes) / streamMaxBytes) / 10 : null,
    drain_rate: Math.round(drainedPerSecond * 10) / 10,
  };
}
