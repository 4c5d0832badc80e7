import Type, { type Static } from 'typebox';
import { Parse } from 'typebox/value';

const hex = (digits: number) => Type.String({ pattern: `^[0-9a-f]{${digits}}$` });
const nanoseconds = Type.String({ pattern: '^[0-9]{19}$' });
const anyValue = Type.Union([
  Type.Object({ stringValue: Type.String() }, { additionalProperties: false }),
  Type.Object({ boolValue: Type.Boolean() }, { additionalProperties: false }),
  Type.Object({ intValue: Type.String({ pattern: '^-?[0-9]+$' }) }, { additionalProperties: false }),
  Type.Object({ doubleValue: Type.Number() }, { additionalProperties: false }),
]);
const attributes = Type.Array(
  Type.Object({ key: Type.String({ minLength: 1 }), value: anyValue }, { additionalProperties: false }),
);

/** What OTLP's JSON allows of what we send; unknown members are faults of ours. */
const requestSchema = Type.Object(
  {
    resourceSpans: Type.Array(
      Type.Object(
        {
          resource: Type.Object({ attributes }, { additionalProperties: false }),
          scopeSpans: Type.Array(
            Type.Object(
              {
                scope: Type.Object({ name: Type.String(), version: Type.String() }),
                spans: Type.Array(
                  Type.Object(
                    {
                      traceId: hex(32),
                      spanId: hex(16),
                      parentSpanId: Type.Optional(hex(16)),
                      flags: Type.Integer({ minimum: 0, maximum: 0xff }),
                      name: Type.String({ minLength: 1 }),
                      kind: Type.Integer({ minimum: 1, maximum: 5 }),
                      startTimeUnixNano: nanoseconds,
                      endTimeUnixNano: nanoseconds,
                      attributes,
                      status: Type.Object(
                        { code: Type.Optional(Type.Literal(2)), message: Type.Optional(Type.String()) },
                        { additionalProperties: false },
                      ),
                    },
                    { additionalProperties: false },
                  ),
                ),
              },
              { additionalProperties: false },
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

type WireSpan = Static<typeof requestSchema>['resourceSpans'][number]['scopeSpans'][number]['spans'][number];

export interface CollectedSpan extends Omit<WireSpan, 'attributes'> {
  readonly service: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** All bodies, as they came. */
  readonly bodies: readonly string[];
  readonly headers: readonly Headers[];
  /** What it answers from now on. */
  answer(status: number): void;
  /** Nobody listens there any more. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A collector of the test's own: takes OTLP over HTTP as JSON, and nothing that is not well formed. */
export function startCollector(): Collector {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  const headers: Headers[] = [];
  let status = 200;
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    routes: {
      '/v1/traces': {
        POST: async (request) => {
          headers.push(request.headers);
          if (status !== 200) return new Response('{}', { status });
          const body = await request.text();
          bodies.push(body);
          try {
            spans.push(...spansOf(JSON.parse(body)));
            return Response.json({ partialSuccess: {} });
          } catch (error) {
            return new Response(String(error), { status: 400 });
          }
        },
      },
    },
  });
  const stop = () => server.stop(true);
  return {
    url: `http://127.0.0.1:${server.port}`,
    spans,
    bodies,
    headers,
    answer: (next) => {
      status = next;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function spansOf(body: unknown): CollectedSpan[] {
  return Parse(requestSchema, body).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name']);
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({ ...span, service, attributes: valuesOf(span.attributes) }));
  });
}

function valuesOf(list: Static<typeof attributes>): Record<string, unknown> {
  return Object.fromEntries(
    list.map(({ key, value }) => [
      key,
      'intValue' in value ? Number(value.intValue) : Object.values(value)[0],
    ]),
  );
}
