import { computed, signal } from '@preact/signals';

const location$ = signal(readLocation());

interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

function readLocation(): Place {
  return { path: window.location.pathname, query: new URLSearchParams(window.location.search) };
}

export const path = computed(() => location$.value.path);
export const query = computed(() => location$.value.query);

export function startRouter(): void {
  window.addEventListener('popstate', () => {
    location$.value = readLocation();
  });
  document.addEventListener('click', followLink);
}

export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  location$.value = readLocation();
  if (replace) return;
  window.scrollTo(0, 0);
  // Who uses a screen reader or the keyboard goes on at the new page's heading.
  requestAnimationFrame(focusHeading);
}

/** For whoever would have to begin at the top again. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
}

/** Changes the query in place, so that a filtered view can be linked to; empty values leave it. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  const next = new URLSearchParams(location$.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(`${location$.value.path}${text === '' ? '' : `?${text}`}`, { replace: true });
}

function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (link?.target !== '' || link.hasAttribute('download')) return;
  if (link.origin !== window.location.origin || link.pathname.startsWith('/api/')) return;
  if (link.hash !== '' && link.pathname === window.location.pathname) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}

/** The parts of a path that match `/t/:tenant/devices/:device`, decoded; undefined where it does not match. */
export function match(pattern: string, actual: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const given = actual.replace(/\/$/, '').split('/');
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (!part.startsWith(':')) {
      if (part !== value) return undefined;
      continue;
    }
    try {
      found[part.slice(1)] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return found;
}

/** A path of the console with its segments encoded. */
export function to(...segments: readonly string[]): string {
  return `/${segments.map((segment) => encodeURIComponent(segment)).join('/')}`;
}
