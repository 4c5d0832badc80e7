/**
 * What the doors answer when they refuse, in one table: `docs/reference/http.md` documents each row, and
 * a test ties the two together. `detail` texts that the contract fixes are fixed here.
 */
export const refusals = {
  missing_token: { status: 401, detail: 'Missing X-Provision-Token' },
  /** Wrong token and unknown device read alike, so that nobody can enumerate devices. */
  token_refused: { status: 401, detail: 'Unknown device or wrong token' },
  device_revoked: { status: 403, detail: 'Device is revoked' },
  invalid_msg_type: { status: 400, detail: 'Invalid msg_type' },
  invalid_identifier: { status: 400, detail: 'Invalid identifier' },
  invalid_idempotency_key: {
    status: 400,
    detail: 'Idempotency-Key must be 1 to 200 visible ASCII characters, without spaces',
  },
  too_large: { status: 413, detail: 'Body too large' },
  invalid_json_body: { status: 400, detail: 'Invalid JSON body' },
  unsupported_encoding: { status: 415, detail: 'Unsupported Content-Encoding' },
  invalid_json: { status: 400, detail: 'Invalid JSON' },
  no_messages: { status: 400, detail: 'No messages' },
  too_many_messages: { status: 400, detail: 'Max 100 messages per batch' },
  unknown_tenant_limit: { status: 429, detail: 'Too many messages for unknown tenants' },
  unavailable: { status: 503, detail: 'Ingestion temporarily unavailable' },
  request_timeout: { status: 408, detail: 'Request not received in time' },
  not_found: { status: 404, detail: 'Not found' },
  method_not_allowed: { status: 405, detail: 'Method not allowed' },
  /** Alike for a forged id, another message's token, and a gateway that has no key. */
  receipt_not_found: { status: 404, detail: 'No such receipt for this token' },
  receipt_expired: { status: 410, detail: 'What became of the message is not known any more' },
  receipts_unavailable: { status: 503, detail: 'Receipts cannot be read now' },
  /** The answer of a request that waited; `detail` says what is wrong with the message. */
  quarantined: { status: 422, detail: 'The message was quarantined' },
  unauthorized: { status: 401, detail: 'Operator key required' },
  /** The registry cannot be asked whether the operator key is right. */
  operator_check_failed: { status: 503, detail: 'Operator key cannot be checked' },
  /** A bug of ours: nothing that a client sends may lead here. */
  internal: { status: 500, detail: 'Internal error' },
} as const;

export type RefusalCode = keyof typeof refusals;

/** Per-item reasons of a batch, as the contract words them. */
export type BatchReason =
  | 'missing tenant_id or device_id'
  | 'missing provision_token'
  | 'invalid msg_type'
  | 'invalid tenant_id'
  | 'invalid device_id'
  | 'invalid message'
  | 'publish_failed'
  /** The next two only with the synchronous token check (`TRIBUTARY_SYNC_AUTH`). */
  | 'unknown device or wrong token'
  | 'device revoked';
