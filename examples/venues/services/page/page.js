import { createSession } from './session.js';

const element = (id) => document.getElementById(id);
const settings = await loadSettings();
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const MOST_REQUESTS = 8;
let renewals = 0;
let life;

const session = createSession({
  onRenewed(token) {
    renewals++;
    showToken(token);
    say('The access token was renewed.');
  },
  onEnded() {
    showLogin('Your session has ended. Please log in again.');
  },
  onRequest: showRequest,
});

element('environment').textContent = settings.environment;
document.title = `Acme Venues (${settings.environment})`;
showLogin();
setInterval(showTimeLeft, 1000);

element('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const [email, password] = [element('email'), element('password')];
  for (const field of [email, password]) {
    if (field.value) continue;
    complain(`Enter your ${field.name}.`);
    field.focus();
    return;
  }
  await busy(element('submit'), async () => {
    try {
      const { user, ...token } = await session.login(email.value, password.value);
      password.value = '';
      renewals = 0;
      complain('');
      await showInside(token, user);
    } catch (error) {
      complain(wordsOf(error));
      password.select();
    }
  });
});
element('renew').addEventListener('click', () =>
  busy(element('renew'), () => session.renew().catch((error) => session.isOpen() && complain(wordsOf(error)))),
);
element('logout').addEventListener('click', () =>
  busy(element('logout'), async () => {
    const words = await session.logout().then(
      () => 'You are logged out.',
      () => 'You are logged out on this page. The server can’t be told now: your session there ends by itself.',
    );
    say('');
    showLogin(words);
  }),
);

async function showInside(token, user) {
  const [{ permissions }, { venues }] = await Promise.all([
    session.ask('/me'),
    session.ask(`${settings.venues_origin}/venues`),
  ]);
  element('name').textContent = user?.name ?? user?.email ?? '';
  const names = permissions.length > 0 ? permissions : ['none'];
  element('permissions').replaceChildren(...names.map((name) => make('li', { textContent: name })));
  element('venues').replaceChildren(...venues.map((venue) => cardOf(venue, permissions.includes('book:venues'))));
  showToken(token);
  show({ outside: false, inside: true, who: true });
  element('welcome').focus();
  await showGuard();
}

function cardOf({ id, name, district, seats, tonight }, mayBook) {
  const words = make('div');
  words.append(
    make('h2', { textContent: name }),
    make('p', { textContent: tonight }),
    make('p', { className: 'soft', textContent: `${district} · ${seats} seats` }),
  );
  const about = make('div', { className: 'about' });
  about.append(words);
  const card = make('li', { className: 'card' });
  card.append(make('div', { className: 'poster' }), about);
  if (!mayBook) return card;
  const book = make('button', { type: 'button', className: 'small', textContent: 'Book' });
  book.setAttribute('aria-label', `Book ${name}`);
  book.addEventListener('click', () =>
    busy(book, async () => {
      try {
        await session.ask(`${settings.venues_origin}/venues/${id}/bookings`, { method: 'POST' });
        complain('');
        book.textContent = 'Booked';
        book.setAttribute('aria-label', `Booked: ${name}`);
        book.classList.add('quiet');
        say(`${name} is booked.`);
      } catch (error) {
        if (session.isOpen()) complain(wordsOf(error));
      }
      await showGuard();
    }),
  );
  about.append(book);
  return card;
}

function showToken({ from, until, claims }) {
  life = { from, until };
  element('until').textContent = time.format(until);
  element('until').dateTime = until.toISOString();
  element('renewals').textContent = renewals === 0 ? 'not yet' : renewals === 1 ? 'once' : `${renewals} times`;
  element('claims').textContent = JSON.stringify(claims, null, 2);
  showTimeLeft();
}

function showTimeLeft() {
  if (!life) return;
  const seconds = Math.max(0, Math.round((life.until - Date.now()) / 1000));
  element('left').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  element('life').value = seconds / Math.max(1, (life.until - life.from) / 1000);
}

/** The newest first; without their query and without what was in them. */
function showRequest({ method, url, status, milliseconds }) {
  const kind = status === undefined || status === 503 ? 'away' : status < 400 ? 'good' : 'bad';
  const row = make('tr');
  row.append(
    make('td', { textContent: `${method} ${new URL(url, location.href).pathname}` }),
    make('td', { className: kind, textContent: status ?? 'away' }),
    make('td', { className: 'soft', textContent: `${Math.round(milliseconds)} ms` }),
  );
  element('requests').prepend(row);
  for (const old of [...element('requests').children].slice(MOST_REQUESTS)) old.remove();
}

/** What the guard of the venue API has counted since its start: for a demo, and no secret. */
async function showGuard() {
  try {
    const response = await fetch(`${settings.venues_origin}/stats`, { credentials: 'omit', cache: 'no-store' });
    const stats = await response.json();
    for (const name of ['hits', 'misses', 'asked']) element(name).textContent = stats[name];
  } catch {}
}

function showLogin(words = '') {
  show({ outside: true, inside: false, who: false });
  life = undefined;
  for (const id of ['venues', 'requests', 'claims']) element(id).replaceChildren();
  complain(words);
  element(element('email').value ? 'password' : 'email').focus();
}

function show(parts) {
  for (const [id, isShown] of Object.entries(parts)) element(id).hidden = !isShown;
}

function complain(words) {
  element('notice').textContent = words;
  element('notice').hidden = words === '';
}

function say(words) {
  element('status').textContent = words;
}

function wordsOf({ status, message }) {
  if (status === undefined) return 'The server can’t be reached. Try again.';
  return status === 503 ? 'The service is away for a moment. Try again.' : message;
}

async function loadSettings() {
  try {
    const response = await fetch('/settings.json');
    if (response.ok) return await response.json();
  } catch {}
  complain('The server can’t be reached. Reload the page in a moment.');
  // Nothing works without them: the script ends here.
  throw new Error('no settings');
}

/** A second click does nothing until the first one is done; the button keeps its focus. */
async function busy(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

function make(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
