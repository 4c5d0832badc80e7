import type { IncomingMessage, Intake, IntakeResult } from '../../intake/intake.ts';
import {
  type DeviceId,
  identifierRules,
  isDeviceId,
  isMsgType,
  isTenantId,
  type MsgType,
  type TenantId,
} from '../../model/identifiers.ts';
import { parseStrictJson, withMember } from '../../model/json-text.ts';
import { traceparentHeader } from '../../model/trace-context.ts';
import type { Tracer } from '../../observe/tracer.ts';
import { acceptedAnswer, waitedAnswer } from './accepted-answer.ts';
import { isObject } from './is-object.ts';
import { waitSecondsOf } from './prefer.ts';
import { longestRetryAfterSeconds, type ProblemOptions, refuse } from './problem.ts';
import { type BodyLimits, readBody } from './read-body.ts';
import { awaitFate, grantWait, issueReceipt, type ReceiptsOptions } from './receipts.ts';
import { refuseBody } from './refuse-body.ts';
import { tokenOf } from './token.ts';

export const singlePath = '/ingest/v1/tenant/:tenant_id/device/:device_id/:msg_type';

export type SingleRequest = Bun.BunRequest<typeof singlePath>;

/** The rule that the refusal's text spells out. */
const idempotencyKeyPattern = /^[\x21-\x7e]{1,200}$/;

/** What can be said of a request before its body is there. */
interface Addressed {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly msgType: MsgType;
  readonly token: string;
  readonly idempotencyKey: string | undefined;
}

export interface SingleOptions extends BodyLimits {
  readonly receipts: ReceiptsOptions;
  /** Lets a request take so many seconds more. */
  readonly extend: (request: Request, seconds: number) => void;
  /** Absent: nothing is traced, and no header is read for it. */
  readonly tracing?: Pick<Tracer, 'begin'> | undefined;
}

/** `POST /ingest/v1/tenant/{tenant_id}/device/{device_id}/{msg_type}`: one message. */
export function createSingleRoute(intake: Intake, limits: SingleOptions) {
  return async (request: SingleRequest): Promise<Response> => {
    const addressed = readAddress(request);
    if (addressed instanceof Response) return addressed;
    const trace = limits.tracing?.begin(request.headers.get(traceparentHeader));
    const body = await readBody(request, limits);
    if (typeof body === 'string') return refuseBody(request, body, 'invalid_json_body');
    const json = parseStrictJson(body);
    if (!json.ok || !isObject(json.value)) return refuse(request, 'invalid_json_body');
    const { token } = addressed;
    const payload = json.value;
    // The header's token replaces one in the body, in the text and in what was parsed from it.
    payload.provision_token = token;
    const payloadText = withMember(json.text, 'provision_token', JSON.stringify(token));
    const { tenantId, deviceId, msgType, idempotencyKey } = addressed;
    const granted = grantWait(limits.receipts, waitSecondsOf(request.headers));
    const message: IncomingMessage = {
      source: 'http',
      tenantId,
      deviceId,
      msgType,
      username: '',
      token,
      idempotencyKey,
      payloadText,
      payload,
      settledTo: granted?.wait.settledTo,
      trace,
    };
    const result = await intake.accept(message);
    if (!result.ok) {
      granted?.wait.close();
      return refuseResult(request, result);
    }
    const receiptId = issueReceipt(limits.receipts, message, result);
    if (granted === undefined) return acceptedAnswer(receiptId);
    limits.extend(request, granted.seconds);
    const fate = await awaitFate(limits.receipts, granted, message, result, request.signal);
    return waitedAnswer(fate, granted.seconds, receiptId);
  };
}

/** The checks that need no body, in the contract's order. */
function readAddress(request: SingleRequest): Addressed | Response {
  const token = tokenOf(request.headers);
  if (token === undefined) return refuse(request, 'missing_token', unauthorized);
  // Bun decodes %2F, %00 and the like: the patterns keep them out.
  const { tenant_id: tenantId, device_id: deviceId, msg_type: msgType } = request.params;
  if (!isMsgType(msgType)) return refuse(request, 'invalid_msg_type');
  if (!isTenantId(tenantId)) return refuseIdentifier(request, 'tenant_id');
  if (!isDeviceId(deviceId)) return refuseIdentifier(request, 'device_id');
  const idempotencyKey = request.headers.get('Idempotency-Key') || undefined;
  if (idempotencyKey !== undefined && !idempotencyKeyPattern.test(idempotencyKey)) {
    return refuse(request, 'invalid_idempotency_key');
  }
  return { tenantId, deviceId, msgType, token, idempotencyKey };
}

function refuseIdentifier(request: Request, name: keyof typeof identifierRules): Response {
  return refuse(request, 'invalid_identifier', { detail: `Invalid ${name}: ${identifierRules[name]}` });
}

/** RFC 9110, section 11.6.1: a 401 says how to authenticate. */
const unauthorized: ProblemOptions = { headers: { 'WWW-Authenticate': 'X-Provision-Token' } };

function refuseResult(request: Request, result: IntakeResult & { ok: false }): Response {
  const { refusal, retryAfterSeconds } = result;
  if (refusal === 'unavailable' || refusal === 'unknown_tenant_limit') {
    return refuse(request, refusal, { retryAfterSeconds: retryAfterSeconds ?? longestRetryAfterSeconds });
  }
  return refuse(request, refusal, refusal === 'token_refused' ? unauthorized : {});
}
