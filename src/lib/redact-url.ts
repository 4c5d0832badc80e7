/**
 * Takes the secrets out of every URL in a text: `postgres://u:p@h/db` becomes `postgres://u:***@h/db`. A lone user
 * part is hidden too, since NATS takes tokens there.
 */
export function redactUrls(text: string): string {
  // The last @ of a URL ends its credentials, whatever an unescaped password holds; a list of servers is cut first.
  return text
    .split(/(?<=,)(?=[a-z][a-z0-9+.-]*:\/\/)/i)
    .map((part) => part.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)(\S*)@/gi, redactCredentials))
    .join('')
    .replaceAll(/([?&](?:password|sslpassword)=)[^&\s]*/gi, '$1***');
}

function redactCredentials(_whole: string, scheme: string, credentials: string): string {
  const colon = credentials.indexOf(':');
  return colon === -1 ? `${scheme}***@` : `${scheme}${credentials.slice(0, colon)}:***@`;
}
