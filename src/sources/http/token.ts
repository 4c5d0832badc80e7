const beyondAscii = /[\x80-\xff]/;

/**
 * The token of a request, `undefined` when the header is absent or empty. Header values reach us byte by byte
 * (Latin-1); a token of other letters was meant as UTF-8, as it stands in JSON bodies and in the registry.
 */
export function tokenOf(headers: Headers): string | undefined {
  const value = headers.get('X-Provision-Token');
  if (value === null || value === '') return undefined;
  if (!beyondAscii.test(value)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
