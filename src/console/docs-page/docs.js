// Shows the OpenAPI document as a page: operations by tag, their input and answers, and a form for those that only read.
const { document: documentUrl, api } = window.document.body.dataset;
const place = window.document.getElementById('operations');
const find = window.document.getElementById('find');
const key = window.document.getElementById('key');

/** An element with attributes and children; text is never taken for markup. */
function element(name, attributes = {}, ...children) {
  const made = window.document.createElement(name);
  // It may scroll: the keyboard must get there, too.
  if (name === 'pre') made.tabIndex = 0;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A schema in a few words. */
function inWords(schema) {
  if (schema === undefined) return '';
  if (schema.anyOf) return schema.anyOf.map(inWords).join(' or ');
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(', ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const bounds = ['format', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'default']
    .filter((word) => schema[word] !== undefined)
    .map((word) => `${word} ${schema[word]}`);
  return [schema.type ?? 'any', ...bounds].join(', ');
}

/** An example's outline: names and what they hold. */
function outline(schema, depth = 0) {
  const pad = '  '.repeat(depth + 1);
  if (schema?.anyOf) return schema.anyOf.map((each) => outline(each, depth)).join(' | ');
  if (schema?.type === 'array') return `[${outline(schema.items, depth)}, …]`;
  if (schema?.type !== 'object' || !schema.properties) return inWords(schema);
  const members = Object.entries(schema.properties).map(([name, value]) => {
    const optional = schema.required?.includes(name) ? '' : '?';
    return `${pad}${name}${optional}: ${outline(value, depth + 1)}`;
  });
  return `{\n${members.join(',\n')}\n${'  '.repeat(depth)}}`;
}

function parameterTable(parameters) {
  const rows = parameters.map(({ name, in: where, required, schema }) =>
    element(
      'tr',
      {},
      element('td', {}, element('code', {}, name)),
      element('td', { class: 'soft' }, `${where}${required ? ', required' : ''}`),
      element('td', {}, [schema.description, inWords(schema)].filter(Boolean).join('; ')),
    ),
  );
  return element('table', {}, element('tbody', {}, ...rows));
}

function bodies(operation) {
  const content = operation.requestBody?.content ?? {};
  return Object.entries(content).flatMap(([type, { schema }]) => [
    element('h4', {}, `Body: ${type}`),
    element('pre', {}, outline(schema)),
  ]);
}

function answers(operation) {
  return Object.entries(operation.responses).flatMap(([status, { description, content, $ref }]) => {
    if ($ref) return [];
    const shown = Object.entries(content ?? {}).map(([type, { schema }]) =>
      element('pre', {}, `${type}\n${outline(schema)}`),
    );
    return [element('h4', {}, `${status}: ${description}`), ...shown];
  });
}

function refusals(operation) {
  const statuses = Object.entries(operation.responses).filter(([, { $ref }]) => $ref);
  return element(
    'p',
    { class: 'soft' },
    `Refused with problem details: ${statuses.map(([status]) => status).join(', ')}`,
  );
}

/** Only what reads, so that nobody changes anything by trying. */
function trial(path, parameters) {
  const fields = parameters.map(({ name, required }) => {
    const input = element('input', { name, autocomplete: 'off', ...(required ? { required: '' } : {}) });
    return element('label', {}, `${name} `, input, ' ');
  });
  const output = element('pre', { hidden: '' });
  const form = element('form', {}, ...fields, element('button', {}, 'Try'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const given = new FormData(form);
    let url = path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(given.get(name)));
    const query = new URLSearchParams();
    for (const { name, in: where } of parameters) {
      if (where === 'query' && given.get(name)) query.append(name, given.get(name));
    }
    url = `${api}${url}${query.size > 0 ? `?${query}` : ''}`;
    output.hidden = false;
    output.textContent = '…';
    try {
      const headers = key.value ? { Authorization: `Bearer ${key.value}` } : {};
      const response = await fetch(url, { headers });
      output.textContent = `GET ${url}\n${response.status}\n\n${indented(await response.text())}`;
    } catch (error) {
      output.textContent = `GET ${url}\n\n${error}`;
    }
  });
  return element('div', {}, element('h4', {}, 'Try it'), form, output);
}

/** Parsing would round numbers: the text is only cut into lines. */
function indented(text) {
  let depth = 0;
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g, (token) => {
    if (token === '{' || token === '[') {
      depth += 1;
      return `${token}\n${'  '.repeat(depth)}`;
    }
    if (token === '}' || token === ']') {
      depth = Math.max(0, depth - 1);
      return `\n${'  '.repeat(depth)}${token}`;
    }
    return token === ',' ? `,\n${'  '.repeat(depth)}` : token;
  });
}

function isStream(operation) {
  return Object.keys(operation.responses['200']?.content ?? {}).includes('text/event-stream');
}

function describe(path, method, operation, server) {
  const parameters = operation.parameters ?? [];
  const title = element(
    'summary',
    {},
    element('span', { class: 'method' }, method.toUpperCase()),
    element('code', {}, path),
    element('span', { class: 'soft' }, ` ${operation.summary}`),
  );
  const canTry = method === 'get' && server === undefined && !isStream(operation);
  const inside = element(
    'div',
    {},
    server === undefined ? undefined : element('p', { class: 'soft' }, `On the gateway: ${server}`),
    ...(operation.description ?? '').split('\n\n').map((text) => element('p', {}, text)),
    parameters.length > 0 ? parameterTable(parameters) : undefined,
    ...bodies(operation),
    ...answers(operation),
    refusals(operation),
    canTry ? trial(path, parameters) : undefined,
  );
  const found = element('details', { id: operation.operationId }, title, inside);
  found.dataset.text = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
  found.dataset.tag = operation.tags?.[0] ?? 'Other';
  return found;
}

function show({ paths, tags }) {
  const all = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation.operationId)
      .map(([method, operation]) => describe(path, method, operation, item.servers?.[0]?.url)),
  );
  const sections = tags.map(({ name }) => {
    const own = all.filter(({ dataset }) => dataset.tag === name);
    return element('section', {}, element('h2', {}, name), ...own);
  });
  place.replaceChildren(...sections);
  find.addEventListener('input', () => {
    const wanted = find.value.toLowerCase();
    for (const operation of all) operation.hidden = !operation.dataset.text.includes(wanted);
    for (const section of sections)
      section.hidden = [...section.querySelectorAll('details')].every(({ hidden }) => hidden);
  });
  const linked = window.document.getElementById(window.location.hash.slice(1));
  if (linked instanceof HTMLDetailsElement) {
    linked.open = true;
    linked.scrollIntoView();
  }
}

try {
  show(await (await fetch(documentUrl)).json());
} catch (error) {
  place.replaceChildren(element('p', {}, `The document could not be loaded: ${error}`));
}
