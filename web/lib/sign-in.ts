import { ApiError, call, get } from './api.ts';
import { type Session, session, signedOutBecause } from './session.ts';

/** Whether the browser still has a session from before. */
export async function loadSession(): Promise<void> {
  try {
    session.value = await get<Session>('/session');
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) {
      signedOutBecause.value = 'The console does not answer. It may be starting: try again shortly.';
    }
    session.value = null;
  }
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
