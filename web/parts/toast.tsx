import { signal } from '@preact/signals';

const message = signal('');
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string): void {
  message.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    message.value = '';
  }, 5_000);
}

export function Toast() {
  return (
    <div class={`toast ${message.value === '' ? '' : 'shown'}`} role="status">
      {message.value}
    </div>
  );
}
