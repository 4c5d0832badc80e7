/** Two streams that become one. */
export function Logo() {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2.6"
      stroke-linecap="round"
      aria-hidden="true"
    >
      <path d="M4 3c0 7 8 6 8 12v6" />
      <path d="M20 3c0 7-8 6-8 12" />
    </svg>
  );
}
