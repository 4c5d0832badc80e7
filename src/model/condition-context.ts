/**
 * A route's condition in CEL, compiled once. What it may ask of:
 *
 * | variable | type | |
 * | --- | --- | --- |
 * | `msg_type` | string | `telemetry`, `heartbeat`; `status` for a change of status |
 * | `device_id`, `site_id` | string | `site_id` is empty for a change of status |
 * | `seq` | int | -1 where the device sent none |
 * | `time` | timestamp | event time, whole ms |
 * | `metrics`, `extra` | map | a JSON number is a double, one past 2^53 an int; empty for a change of status |
 * | `status`, `previous` | string | empty for a message |
 */
export interface ConditionContext {
  readonly msg_type: string;
  readonly device_id: string;
  readonly site_id: string;
  readonly status: string;
  readonly previous: string;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly seq?: bigint;
  readonly time?: Date;
  readonly extra?: Readonly<Record<string, unknown>>;
}
