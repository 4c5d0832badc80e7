/** Puts lines and spaces between the parts of a JSON text without reading its values. */
export function indent(text: string): string {
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  return text.replace(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^"{}[\],:]+/g, (part) => {
    if (part === '{' || part === '[') {
      depth += 1;
      return part + line();
    }
    if (part === '}' || part === ']') {
      depth = Math.max(0, depth - 1);
      return line() + part;
    }
    if (part === ',') return part + line();
    if (part === ':') return ': ';
    return part.startsWith('"') ? part : part.trim();
  });
}
