/** A shorter token may well be part of a name by chance. */
const minTokenLength = 16;

/** Whether a text that would be stored or shown has the token in it. */
export function holdsToken(text: string, token: string | undefined): boolean {
  if (token === undefined) return false;
  return token.length < minTokenLength ? text === token : text.includes(token);
}
