import { createAddressGuard, resolveWithSystem } from '../../delivery/address/guarded-lookup.ts';
import { parseCidrs } from '../../delivery/address/ranges.ts';
import { createBrokerSender } from '../../delivery/mqtt/broker-sender.ts';
import { createListenerSender } from '../../delivery/mqtt/listener-sender.ts';
import { NatsSenders } from '../../delivery/nats/nats-sender.ts';
import type { Outcome } from '../../delivery/outcome.ts';
import type { Parcel } from '../../delivery/parcel.ts';
import { createWebhookSender } from '../../delivery/webhook/webhook-sender.ts';
import type { Destination } from '../../model/route-destination.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import { userAgent } from '../../roles/routes/outgoing.ts';
import { createCliLog, withNats } from '../connect.ts';
import type { Invocation } from '../define-command.ts';

/** One attempt, by what delivery sends with. Counts nowhere, and is not tried again. */
export async function sendTest(
  invocation: Invocation,
  parcel: Parcel,
  destination: Destination,
  secrets: RouteSecrets,
): Promise<Outcome> {
  const { config, clock: wallClock } = invocation;
  const { deliveryTimeoutMs: timeoutMs } = config;
  const guard = createAddressGuard(parseCidrs(config.allowDestinations ?? ''), resolveWithSystem);
  if (destination.kind === 'webhook')
    return createWebhookSender({ destination, secrets, guard, timeoutMs, userAgent, wallClock }).send(parcel);
  if (destination.kind === 'mqtt' && destination.url !== undefined) {
    const { url } = destination;
    const clientId = `tributary-test-${process.pid}`;
    const sender = createBrokerSender({
      destination: { ...destination, url },
      secrets,
      guard,
      timeoutMs,
      clientId,
    });
    return sender.send(parcel).finally(() => sender.close?.());
  }
  return withNats(invocation, async (nc) => {
    const shared = { nc, timeoutMs, log: createCliLog(config), now: () => performance.now() };
    if (destination.kind === 'mqtt') return createListenerSender({ ...shared, destination }).send(parcel);
    const senders = new NatsSenders(shared);
    return senders
      .create(destination)
      .send(parcel)
      .finally(() => senders.drain());
  });
}

export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'delivered':
      return 'delivered';
    case 'retry':
      return `failed, and would be tried again: ${outcome.error}`;
    case 'dead':
      return `refused, and would be a dead letter ${outcome.reason}: ${outcome.detail}`;
    case 'gone':
      return `gone (410), and the route would be disabled: ${outcome.detail}`;
  }
}
