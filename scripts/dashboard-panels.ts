/** What the Grafana dashboard shows, row by row. */

export interface Query {
  /** PromQL; `$__rate_interval` is Grafana's. */
  readonly expr: string;
  /** What a line is called; `{{label}}` is filled in. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it tells, and what is well. */
  readonly about: string;
  readonly kind: 'timeseries' | 'stat';
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** Of 24. */
  readonly width: number;
  readonly queries: readonly Query[];
  /** From this value on a stat is red. */
  readonly redFrom?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const query = (expr: string, legend: string): Query => ({ expr, legend });
const rate = (metric: string, by: string, legend = `{{${by}}}`): Query =>
  query(`sum by (${by}) (rate(${metric}[$__rate_interval]))`, legend);
const quantiles = (metric: string, by = ''): Query[] =>
  ['0.5', '0.99'].map((q) =>
    query(
      `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`,
      `p${Number(q) * 100}${by === '' ? '' : ` {{${by}}}`}`,
    ),
  );

type Shape = Pick<Panel, 'unit' | 'about'> & { readonly width?: number };
const lines = (title: string, shape: Shape, queries: readonly Query[]): Panel => ({
  kind: 'timeseries',
  title,
  width: 8,
  ...shape,
  queries,
});
const stat = (title: string, shape: Shape & Pick<Panel, 'redFrom'>, expr: string, legend = ''): Panel => ({
  kind: 'stat',
  title,
  width: 4,
  ...shape,
  queries: [query(expr, legend)],
});

const flow: Row = {
  title: 'Does the river flow?',
  panels: [
    stat(
      'Accepted',
      { unit: 'mps', about: 'Messages that JetStream has stored, from all doors.' },
      'sum(rate(tributary_intake_messages_total{outcome="accepted"}[$__rate_interval]))',
    ),
    stat(
      'Stored',
      { unit: 'mps', about: 'Readings committed to PostgreSQL.' },
      'sum(rate(tributary_worker_messages_total{outcome="stored"}[$__rate_interval]))',
    ),
    stat(
      'Unaccounted',
      { unit: 'short', about: 'Accepted, gone, and without an outcome. Must be 0.', redFrom: 1 },
      'max(tributary_audit_unacknowledged)',
    ),
    stat(
      'Last canary',
      { unit: 's', about: 'How long ago a canary came through from door to row.', redFrom: 60 },
      'time() - max(tributary_canary_last_success_timestamp_seconds)',
    ),
    stat(
      'Backlog',
      { unit: 'short', about: 'Messages in TELEMETRY: accepted and not settled yet.' },
      'max(tributary_stream_messages{stream="TELEMETRY"})',
    ),
    stat(
      'Durability',
      { unit: 'short', about: 'What an accepted message withstands.' },
      'max by (class) (tributary_durability_info)',
      '{{class}}',
    ),
    lines('Messages in', { unit: 'mps', about: 'By door.', width: 8 }, [
      query(
        'sum by (source) (rate(tributary_intake_messages_total{outcome=~"accepted|duplicate"}[$__rate_interval]))',
        '{{source}}',
      ),
    ]),
    lines('Verdicts', { unit: 'mps', about: 'What became of them.' }, [
      rate('tributary_worker_messages_total', 'outcome'),
    ]),
    lines('Door to row', { unit: 's', about: 'From arrival at the door to the committed row.' }, [
      ...quantiles('tributary_worker_door_to_row_seconds'),
      query(
        'histogram_quantile(0.99, sum by (le) (rate(tributary_canary_seconds_bucket[$__rate_interval])))',
        'p99 canary',
      ),
    ]),
  ],
};

const doors: Row = {
  title: 'Doors',
  panels: [
    lines('Refused', { unit: 'mps', about: '`unavailable` is a 503: the device keeps the message.' }, [
      query(
        'sum by (outcome) (rate(tributary_intake_messages_total{outcome!~"accepted|duplicate"}[$__rate_interval]))',
        '{{outcome}}',
      ),
    ]),
    lines('HTTP answers', { unit: 'reqps', about: 'By status.' }, [
      rate('tributary_http_requests_total', 'status'),
    ]),
    lines(
      'HTTP answer time',
      { unit: 's', about: 'By route.' },
      quantiles('tributary_http_request_duration_seconds', 'route'),
    ),
    lines('MQTT connections', { unit: 'short', about: 'Open at the moment.', width: 6 }, [
      query('sum(tributary_mqtt_connections)', 'connections'),
    ]),
    lines('MQTT publishes', { unit: 'mps', about: 'By quality of service and outcome.', width: 6 }, [
      query(
        'sum by (qos, outcome) (rate(tributary_mqtt_publishes_total[$__rate_interval]))',
        'QoS {{qos}} {{outcome}}',
      ),
    ]),
    lines('MQTT refusals', { unit: 'ops', about: 'Connections closed and packets refused, why.', width: 6 }, [
      rate('tributary_mqtt_refused_total', 'reason'),
    ]),
    lines(
      'MQTT bridge',
      { unit: 'mps', about: 'From another broker; all but accepted and duplicate is dropped.', width: 6 },
      [
        rate('tributary_mqtt_bridge_messages_total', 'outcome'),
        query('sum(tributary_mqtt_bridge_held_messages)', 'held'),
      ],
    ),
    lines('MQTT bridge connections', { unit: 'short', about: 'Subscribed at the broker.', width: 6 }, [
      query('sum(tributary_mqtt_bridge_connections)', 'connections'),
    ]),
    lines(
      'PubAck',
      { unit: 's', about: 'How long JetStream takes to store a message.', width: 6 },
      quantiles('tributary_publisher_ack_seconds'),
    ),
  ],
};

const streams: Row = {
  title: 'Streams',
  panels: [
    lines('Waiting', { unit: 'short', about: 'Not delivered, and delivered but not acknowledged.' }, [
      query('max by (stream) (tributary_stream_pending_messages)', '{{stream}} pending'),
      query('max by (stream) (tributary_stream_ack_pending_messages)', '{{stream}} in flight'),
    ]),
    lines('Oldest message', { unit: 's', about: 'How long it has waited.' }, [
      query('max by (stream) (tributary_stream_oldest_message_age_seconds)', '{{stream}}'),
    ]),
    lines('Fullness', { unit: 'percentunit', about: 'At 100 % messages are answered 503.' }, [
      query('max by (stream) (tributary_stream_bytes / tributary_stream_limit_bytes)', '{{stream}}'),
    ]),
    lines('Drained', { unit: 'mps', about: 'How fast messages leave.' }, [
      query('max by (stream) (tributary_stream_drained_messages_per_second)', '{{stream}}'),
    ]),
    lines('Redelivered', { unit: 'mps', about: 'Many mean that settling is slow or fails.' }, [
      query('sum by (role) (rate(tributary_puller_redelivered_total[$__rate_interval]))', '{{role}}'),
    ]),
    lines('Deliveries cut', { unit: 'ops', about: 'Reconnects and silences, why.' }, [
      rate('tributary_puller_interruptions_total', 'reason'),
    ]),
  ],
};

const workers: Row = {
  title: 'Workers',
  panels: [
    lines(
      'Settling',
      { unit: 's', about: 'One transaction.', width: 6 },
      quantiles('tributary_worker_settle_seconds'),
    ),
    lines('Batch', { unit: 'short', about: 'Messages in one transaction.', width: 6 }, [
      query(
        'sum(rate(tributary_worker_batch_messages_sum[$__rate_interval])) / sum(rate(tributary_worker_batch_messages_count[$__rate_interval]))',
        'mean',
      ),
    ]),
    lines('Quarantined', { unit: 'mps', about: 'By reason.', width: 6 }, [
      rate('tributary_worker_quarantined_total', 'reason'),
    ]),
    lines('Tried again', { unit: 'ops', about: 'Settling that failed and is repeated.', width: 6 }, [
      query('sum(rate(tributary_worker_retries_total[$__rate_interval]))', 'retries'),
    ]),
    lines(
      'Roll-ups behind',
      { unit: 's', about: 'Event time that could be rolled up and is not.', width: 12 },
      [query('max(tributary_rollup_behind_seconds)', 'behind')],
    ),
    lines('Roll-ups failed', { unit: 'ops', about: 'Repeated later, by what was to be done.', width: 12 }, [
      rate('tributary_rollup_failures_total', 'work'),
    ]),
  ],
};

const routes: Row = {
  title: 'Routes',
  panels: [
    lines('Attempts', { unit: 'ops', about: 'At destinations, by what came of them.', width: 6 }, [
      rate('tributary_delivery_attempt_seconds_count', 'result'),
    ]),
    lines(
      'Door to destination',
      { unit: 's', about: 'Of those that the first attempt delivered.', width: 6 },
      quantiles('tributary_delivery_door_to_destination_seconds'),
    ),
    lines('Dead letters', { unit: 'ops', about: 'By reason.', width: 6 }, [
      rate('tributary_delivery_dead_letters_total', 'reason'),
    ]),
    lines(
      'Waiting',
      { unit: 'short', about: 'Owed to ROUTES, queued, and destinations left alone.', width: 6 },
      [
        query('max(tributary_routing_owed_jobs)', 'owed'),
        query('sum(tributary_delivery_queued_jobs)', 'queued'),
        query('max(tributary_delivery_open_breakers)', 'destinations left alone'),
      ],
    ),
  ],
};

const api: Row = {
  title: 'API and console',
  panels: [
    lines('Requests', { unit: 'reqps', about: 'To the API and the pages, by status.', width: 8 }, [
      rate('tributary_console_requests_total', 'status'),
    ]),
    lines('Answer time', { unit: 's', about: 'p99 by operation.', width: 8 }, [
      query(
        'histogram_quantile(0.99, sum by (le, operation) (rate(tributary_console_request_duration_seconds_bucket[$__rate_interval])))',
        '{{operation}}',
      ),
    ]),
    lines('Live streams', { unit: 'short', about: 'Pages that are open and watch.', width: 8 }, [
      query('sum(tributary_console_streams_under_way)', 'streams'),
    ]),
  ],
};

const processes: Row = {
  title: 'Processes',
  panels: [
    lines('CPU', { unit: 'percentunit', about: 'Of one core.', width: 6 }, [
      query('rate(process_cpu_seconds_total{job="tributary"}[$__rate_interval])', '{{role}} {{instance}}'),
    ]),
    lines('Memory', { unit: 'bytes', about: 'Resident.', width: 6 }, [
      query('process_resident_memory_bytes{job="tributary"}', '{{role}} {{instance}}'),
    ]),
    lines('Event loop', { unit: 's', about: 'p99 of its lag.', width: 6 }, [
      query('nodejs_eventloop_lag_p99_seconds{job="tributary"}', '{{role}} {{instance}}'),
    ]),
    lines('Servers reached', { unit: 'short', about: '1: it answers.', width: 6 }, [
      query('min by (role) (tributary_nats_up)', 'NATS by {{role}}'),
      query('min by (role) (tributary_database_up)', 'PostgreSQL by {{role}}'),
    ]),
  ],
};

export const dashboardRows: readonly Row[] = [flow, doors, streams, workers, routes, api, processes];
