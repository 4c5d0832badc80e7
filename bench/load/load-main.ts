/** A load process: `load-main.ts SPEC` with a LoadSpec as JSON; prints LoadEvents, one a line. */
import { drawMessages } from './fleet.ts';
import type { LoadEvent, LoadSpec } from './load-spec.ts';
import { runOpenLoop } from './open-loop.ts';
import { Recorder } from './recorder.ts';
import { openSender } from './senders.ts';
import { openStreamPublisher } from './stream-publisher.ts';

const emit = (event: LoadEvent) => process.stdout.write(`${JSON.stringify(event)}\n`);
const spec = JSON.parse(process.argv[2] ?? '') as LoadSpec;
const recorder = new Recorder(emit);
const openAtEnd = spec.door.kind === 'stream' ? await publishToStream(spec) : await sendThroughDoor(spec);
emit({ event: 'result', result: recorder.result(openAtEnd) });
process.exit(0);

async function sendThroughDoor(spec: LoadSpec): Promise<number> {
  const sender = await openSender(spec, (words) => recorder.failure(words));
  const { pace, warmUpMs, measureMs, intervalMs } = spec;
  const atStart = setTimeout(() => {
    recorder.start();
    if (intervalMs !== undefined) recorder.tellEvery(intervalMs);
  }, warmUpMs);
  const atEnd = setTimeout(() => recorder.stop(), warmUpMs + measureMs);
  let openAtEnd = 0;
  if (pace.kind === 'open') {
    const ratePerSecond = pace.messagesPerSecond / sender.messagesPerSend;
    const ended = await runOpenLoop({
      ratePerSecond,
      durationMs: warmUpMs + measureMs,
      send: () => sender.send(),
      onAnswer: (latencyMs, sent, intendedAtMs) => recorder.answered(latencyMs, sent, intendedAtMs),
      onSend: (lateMs) => recorder.sent(lateMs),
      clock: () => performance.now(),
      // Below a millisecond Bun would not sleep at all and take a core from those it measures.
      wait: (ms) => Bun.sleep(Math.max(1, ms)),
    });
    openAtEnd = ended.openAtEnd;
  } else await sendAsAnswersCome(sender, warmUpMs + measureMs);
  clearTimeout(atStart);
  clearTimeout(atEnd);
  recorder.stop();
  sender.close();
  return openAtEnd;
}

/** As many lanes as can be under way, each sending again when answered. */
async function sendAsAnswersCome(
  sender: Awaited<ReturnType<typeof openSender>>,
  forMs: number,
): Promise<void> {
  const endAtMs = performance.now() + forMs;
  const lane = async () => {
    for (let now = performance.now(); now < endAtMs; ) {
      const sent = await sender.send();
      const answeredAt = performance.now();
      recorder.answered(answeredAt - now, sent, answeredAt);
      now = answeredAt;
      // A server that is gone would be asked again and again.
      if (sent.accepted === 0) await Bun.sleep(10);
    }
  };
  await Promise.all(Array.from({ length: sender.width }, lane));
}

async function publishToStream({ door, fleet, pace, warmUpMs, measureMs }: LoadSpec): Promise<number> {
  if (door.kind !== 'stream') throw new Error('not a stream');
  const publisher = await openStreamPublisher({
    port: door.port,
    messages: drawMessages(fleet, pace.kind === 'count' ? Math.min(pace.messages, 200_000) : 20_000),
    window: door.window,
    onAcked: (accepted) => recorder.answered(0, { accepted, failed: 0 }, performance.now()),
  });
  if (pace.kind === 'count') {
    recorder.start();
    await publisher.run(pace.messages);
    recorder.stop();
  } else {
    setTimeout(() => recorder.start(), warmUpMs);
    setTimeout(() => {
      recorder.stop();
      publisher.stop();
    }, warmUpMs + measureMs);
    await publisher.run(Number.POSITIVE_INFINITY);
  }
  publisher.close();
  return 0;
}
