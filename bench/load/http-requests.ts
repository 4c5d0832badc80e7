import type { BenchMessage } from './fleet.ts';

/** Whole requests as bytes, made before the clock starts. */
export function singleRequest({ device, body }: BenchMessage, waitSeconds?: number): Buffer {
  const prefer = waitSeconds === undefined ? '' : `Prefer: wait=${waitSeconds}\r\n`;
  const path = `/ingest/v1/tenant/${device.tenantId}/device/${device.deviceId}/telemetry`;
  return requestOf(path, body, `X-Provision-Token: ${device.token}\r\n${prefer}`);
}

export function batchRequest(messages: readonly BenchMessage[]): Buffer {
  return requestOf('/ingest/v1/batch', `{"messages":[${messages.map(batchItem).join(',')}]}`, '');
}

function batchItem({ device, body }: BenchMessage): string {
  const head = `{"tenant_id":"${device.tenantId}","device_id":"${device.deviceId}",`;
  return `${head}"msg_type":"telemetry","provision_token":"${device.token}",${body.slice(1)}`;
}

function requestOf(path: string, body: string, headers: string): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${headers}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
