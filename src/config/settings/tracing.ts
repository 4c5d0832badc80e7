import Type from 'typebox';
import { setting, text } from './setting.ts';

/** Following messages from door to row. */
export const tracingSettings = {
  otlpUrl: setting({
    env: 'TRIBUTARY_OTLP_URL',
    schema: text,
    default: undefined,
    about:
      'OpenTelemetry collector, http://host:4318, that spans go to by OTLP over HTTP. Unset: no tracing.',
  }),
  otlpHeaders: setting({
    env: 'TRIBUTARY_OTLP_HEADERS',
    schema: text,
    default: undefined,
    about: 'Headers for the collector, as name=value, comma separated, the values percent-encoded.',
    secret: true,
  }),
  traceRatio: setting({
    env: 'TRIBUTARY_TRACE_RATIO',
    schema: Type.Number({ minimum: 0, maximum: 1 }),
    default: 0,
    about: 'Share of the messages without a traceparent that is traced; with one its flag decides.',
  }),
};
