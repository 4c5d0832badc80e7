import { expect, test } from 'bun:test';
import { parseAckSubject } from '../../src/stream/ack-subject.ts';

const wanted = { seq: 18_446_744, timestampNs: 1_795_526_795_090_493_689n, deliveryCount: 3 };

test.each([
  ['the form of today', '$JS.ACK.TELEMETRY.ingest-workers.3.18446744.7.1795526795090493689.12'],
  [
    'with domain and account',
    '$JS.ACK.hub.ABC123.TELEMETRY.ingest-workers.3.18446744.7.1795526795090493689.12',
  ],
  [
    'with a random token too',
    '$JS.ACK._.ABC123.TELEMETRY.ingest-workers.3.18446744.7.1795526795090493689.12.x9',
  ],
])('a delivery is read: %s', (_, subject) => {
  expect(parseAckSubject(subject)).toEqual(wanted);
});

test.each([
  '',
  '_INBOX.abc.1',
  '$JS.ACK.TELEMETRY.ingest-workers.3.18446744.7.1795526795090493689',
  '$JS.ACK.TELEMETRY.ingest-workers.3.x.7.1795526795090493689.12',
  '$JS.FC.TELEMETRY.ingest-workers.3.1.7.1795526795090493689.12',
])('any other subject is none: %p', (subject) => {
  expect(parseAckSubject(subject)).toBeUndefined();
});
