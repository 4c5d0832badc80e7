/** JSON text as people read it: `temp=22 open=true`. Numbers stay as they were sent. */
export function showJsonValue(text: string): string {
  // jsonb prints `"key": value` with one space; only the members of the outermost object are taken apart.
  const members = outerMembers(text);
  if (members === undefined) return unquoted(text);
  return members.map(([name, value]) => `${name}=${unquoted(value)}`).join(' ');
}

/** Names and value texts of a JSON object whose values hold no further objects or arrays; else undefined. */
function outerMembers(text: string): [name: string, value: string][] | undefined {
  const member = /\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,"{}[\]]+)\s*(,|\}$)/y;
  if (!text.startsWith('{')) return undefined;
  const members: [string, string][] = [];
  member.lastIndex = 1;
  for (let match = member.exec(text); match !== null; match = member.exec(text)) {
    members.push([unquoted(match[1] ?? ''), match[2] ?? '']);
    if (match[3] === '}') return members;
  }
  return undefined;
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
