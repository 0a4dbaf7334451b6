// What came from elsewhere is only ever set as text.
const MOST = 200;
const list = document.getElementById('list');
const shown = document.getElementById('shown');
const filter = document.getElementById('filter');
const state = document.getElementById('state');
const none = document.getElementById('none');

let requests = [];
let chosen;
/** The newest is shown until somebody chooses. */
let followsNewest = true;

const events = new EventSource('/_bin/events');
events.onopen = () => tell('live', true);
events.onerror = () => tell('not connected', false);
events.addEventListener('all', ({ data }) => {
  requests = JSON.parse(data);
  chosen = undefined;
  followsNewest = true;
  draw();
});
events.addEventListener('request', ({ data }) => {
  requests = [...requests, JSON.parse(data)].slice(-MOST);
  draw();
});
filter.addEventListener('input', draw);
document.getElementById('clear').addEventListener('click', () => fetch('/_bin/clear', { method: 'POST' }));
document.getElementById('back').addEventListener('click', () => {
  document.body.classList.remove('reading');
  list.querySelector('[aria-current]')?.focus();
});
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  }
});
list.addEventListener('keydown', (event) => {
  const buttons = [...list.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  const target = to === undefined ? undefined : buttons[Math.max(0, Math.min(buttons.length - 1, to))];
  if (!target) return;
  event.preventDefault();
  choose(Number(target.dataset.number), { keepsList: true });
  list.querySelector('[aria-current]')?.focus();
});

function tell(words, isLive) {
  state.dataset.words = words;
  state.classList.toggle('live', isLive);
  count();
}

function count() {
  const newest = requests.at(-1)?.number ?? 0;
  state.textContent = `${state.dataset.words ?? 'connecting'}, ${newest} ${newest === 1 ? 'request' : 'requests'}`;
}

function draw() {
  count();
  const words = filter.value.trim().toLowerCase();
  const wanted = requests
    .filter(({ type, path, webhookId, method, status }) =>
      [type, path, webhookId, method, String(status)].some((text) => text?.toLowerCase().includes(words)),
    )
    .toReversed();
  const focused = document.activeElement?.dataset?.number;
  const newest = wanted[0]?.number;
  if (followsNewest && newest !== undefined && newest !== chosen) choose(newest, { isAsked: false });
  const tabbed = wanted.some(({ number }) => number === chosen) ? chosen : newest;
  list.replaceChildren(...wanted.map((request) => row(request, request.number === tabbed)));
  if (focused !== undefined) list.querySelector(`[data-number="${focused}"]`)?.focus();
  none.textContent = requests.length > 0 && wanted.length === 0 ? 'None of them fits the filter.' : '';
  document.body.classList.toggle('empty', requests.length === 0);
  if (requests.length === 0) welcome();
}

function row({ number, at, method, path, type, status, bytes }, isTabbed) {
  const button = element('button', { type: 'button', tabIndex: isTabbed ? 0 : -1 });
  button.dataset.number = number;
  if (number === chosen) button.setAttribute('aria-current', 'true');
  button.append(
    element('span', { className: 'number', textContent: `#${number}` }),
    element('span', { className: 'what', textContent: type ?? `${method} ${path}` }),
    element('span', { className: status < 300 ? 'good' : 'bad', textContent: String(status) }),
    element('span', { className: 'when', textContent: `${timeOf(at)}${type ? ` ${method} ${path}` : ''}` }),
    element('span', { className: 'size', textContent: sizeOf(bytes) }),
  );
  button.addEventListener('click', () => choose(number, {}));
  const item = element('li', {});
  item.append(button);
  return item;
}

async function choose(number, { isAsked = true, keepsList = false }) {
  chosen = number;
  if (isAsked) {
    followsNewest = number === requests.at(-1)?.number;
    if (!keepsList) document.body.classList.add('reading');
    draw();
  }
  const response = await fetch(`/_bin/requests/${number}`);
  if (!response.ok || chosen !== number) return;
  show(await response.json());
}

function show({ number, at, method, path, headers, body, bytes, isCut, status }) {
  const facts = element('dl', {});
  const fact = (name, value) =>
    facts.append(element('dt', { textContent: name }), element('dd', { textContent: value }));
  fact('Came', new Date(at).toLocaleString());
  fact('Answered', String(status));
  fact('Size', sizeOf(bytes));
  const id = headers.find(([name]) => name.toLowerCase() === 'webhook-id');
  if (id) fact('webhook-id', id[1]);
  const more = element('details', {});
  const all = element('dl', {});
  for (const [name, value] of headers)
    all.append(element('dt', { textContent: name }), element('dd', { textContent: value }));
  more.append(element('summary', { textContent: `${headers.length} headers` }), all);
  shown.replaceChildren(
    element('h2', { textContent: `#${number} ${method} ${path}` }),
    facts,
    more,
    body === ''
      ? element('p', { textContent: 'It has no body.' })
      : element('pre', { tabIndex: 0, textContent: pretty(body) }),
    ...(isCut ? [element('p', { textContent: 'The rest is not kept.' })] : []),
  );
}

function welcome() {
  shown.replaceChildren(document.getElementById('welcome').content.cloneNode(true));
  shown.querySelector('.address').textContent = `curl -d '{"hello":"world"}' ${location.origin}/`;
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function timeOf(at) {
  return new Date(at).toLocaleTimeString();
}

function sizeOf(bytes) {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
