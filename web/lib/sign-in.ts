import { ApiError, call, get } from './api.ts';
import { type Session, session, signedOutBecause } from './session.ts';

const lookAgainMs = 3_000;

/** Whether the browser still has a session from before. */
export async function loadSession(): Promise<void> {
  try {
    session.value = await get<Session>('/session');
  } catch (error) {
    const isStranger = error instanceof ApiError && error.status === 401;
    signedOutBecause.value = isStranger ? '' : whyUnknown(error);
    // Somebody may have signed in meanwhile.
    session.value ??= null;
    if (!isStranger) setTimeout(() => void lookAgain(), lookAgainMs);
  }
}

/** Until it is known, or somebody has signed in. */
async function lookAgain(): Promise<void> {
  if (session.value === null) await loadSession();
}

function whyUnknown(error: unknown): string {
  if (error instanceof ApiError && error.status === 503) {
    return 'PostgreSQL does not answer, so the console cannot tell who you are. What is accepted waits safely in the stream. You will be signed in again when it is back.';
  }
  return 'The console does not answer. It may be starting: this page goes on by itself.';
}

export async function signIn(key: string): Promise<void> {
  const next = await call<Session>('POST', '/session', { body: { key } });
  signedOutBecause.value = '';
  session.value = next;
}

export async function signOut(): Promise<void> {
  try {
    await call('DELETE', '/session');
  } finally {
    signedOutBecause.value = '';
    session.value = null;
  }
}
