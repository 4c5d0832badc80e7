/**
 * A token of the style sheet as a colour that a canvas takes: `light-dark()` is resolved by letting an element use it.
 */
export function colour(token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${token})`;
  probe.style.display = 'none';
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** The same with some of it to see through. */
export function translucent(token: string, alpha: number): string {
  const parts =
    /^rgba?\(([^)]+)\)$/
      .exec(colour(token))?.[1]
      ?.split(/[\s,/]+/)
      .slice(0, 3) ?? [];
  return parts.length === 3 ? `rgba(${parts.join(', ')}, ${alpha})` : colour(token);
}
