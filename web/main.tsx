import { render } from 'preact';
import { App } from './app.tsx';
import { startClock } from './lib/clock.ts';
import { startRouter } from './lib/router.ts';
import { loadSession } from './lib/sign-in.ts';

startRouter();
startClock();
void loadSession();

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
