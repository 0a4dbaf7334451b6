import { createSession } from './session.js';

const element = (id) => document.getElementById(id);
const settings = await loadSettings();
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
let renewals = 0;

const session = createSession({
  onRenewed(token) {
    renewals++;
    showToken(token);
    say('The access token was renewed.');
  },
  onEnded() {
    showLogin('Your session has ended. Please log in again.');
  },
});

element('environment').textContent = settings.environment;
document.title = `Acme Venues (${settings.environment})`;
showLogin();

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
    await session.logout().catch(() => {});
    showLogin('You are logged out.');
  }),
);

async function showInside(token, user) {
  complain('');
  const [{ permissions }, { venues }] = await Promise.all([
    session.ask('/me'),
    session.ask(`${settings.venues_origin}/venues`),
  ]);
  element('name').textContent = user?.name ?? user?.email ?? '';
  element('permissions').textContent = permissions.join(', ') || 'none';
  element('venues').replaceChildren(...venues.map((venue) => cardOf(venue, permissions.includes('book:venues'))));
  showToken(token);
  show({ login: false, inside: true, who: true });
  element('welcome').focus();
}

function cardOf({ id, name, district, seats, tonight }, mayBook) {
  const card = make('li', { className: 'card' });
  card.append(
    make('h2', { textContent: name }),
    make('p', { className: 'tonight', textContent: tonight }),
    make('p', { className: 'soft', textContent: `${district} · ${seats} seats` }),
  );
  if (!mayBook) return card;
  const book = make('button', { type: 'button', textContent: 'Book' });
  book.setAttribute('aria-label', `Book ${name}`);
  book.addEventListener('click', () =>
    busy(book, async () => {
      try {
        await session.ask(`${settings.venues_origin}/venues/${id}/bookings`, { method: 'POST' });
        book.textContent = 'Booked';
        say(`${name} is booked.`);
      } catch (error) {
        if (session.isOpen()) complain(wordsOf(error));
      }
    }),
  );
  card.append(book);
  return card;
}

function showToken({ from, until }) {
  for (const [id, date] of Object.entries({ from, until })) {
    element(id).textContent = time.format(date);
    element(id).dateTime = date.toISOString();
  }
  element('renewals').textContent = renewals === 0 ? 'not yet' : renewals === 1 ? 'once' : `${renewals} times`;
}

function showLogin(words = '') {
  show({ login: true, inside: false, who: false });
  element('venues').replaceChildren();
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
