/**
 * A regular expression source that matches `name` in JSON text however it is spelled: each character plain
 * or as a `\u` escape, behind any number of backslashes (JSON inside a JSON string doubles them).
 */
export function escapedSpelling(name: string): string {
  let source = '';
  for (const char of name) {
    const hex = char.charCodeAt(0).toString(16).padStart(4, '0');
    source += `(?:${char}|\\\\+u${hex})`;
  }
  return source;
}
