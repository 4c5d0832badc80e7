export interface HealthOptions {
  /** Whether a message could be made durable now: NATS answers. */
  readonly isReady: () => Promise<boolean>;
  /** What an accepted message withstands, in words; undefined while that is not known. Asks nobody. */
  readonly durability: () => string | undefined;
  /** Prometheus text and its content type. */
  readonly metrics: () => Promise<{ text: string; contentType: string }>;
}

const uncached = { 'Cache-Control': 'no-store' };

/** `GET /healthz`: the process runs and answers, whatever its servers do. */
export function createHealthz(durability: HealthOptions['durability']) {
  return (): Response =>
    Response.json({ status: 'ok', durability: durability() ?? null }, { headers: uncached });
}

/**
 * `GET /readyz`: 200 while the role can do its work, else 503 with why not. A door needs NATS only: PostgreSQL may be
 * down, accepting does not need it.
 */
export function createReadyz(whyNotReady: () => Promise<string | undefined>, isDraining: () => boolean) {
  return async (): Promise<Response> => {
    if (isDraining()) return notReady('draining');
    const why = await whyNotReady();
    return why === undefined ? Response.json({ status: 'ready' }, { headers: uncached }) : notReady(why);
  };
}

function notReady(why: string): Response {
  return Response.json(
    { status: 'not ready', why },
    { status: 503, headers: { ...uncached, 'Retry-After': '1' } },
  );
}

/** `GET /metrics`: Prometheus. */
export function createMetricsRoute(metrics: HealthOptions['metrics']) {
  return async (): Promise<Response> => {
    const { text, contentType } = await metrics();
    return new Response(text, { headers: { 'Content-Type': contentType } });
  };
}
