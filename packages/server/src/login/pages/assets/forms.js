// The pages work without this file. It adds: show the password, tick off password rules, no second submit.

for (const button of document.querySelectorAll('.reveal')) {
  const input = document.getElementById(button.getAttribute('aria-controls'));
  const show = (isShown) => {
    input.type = isShown ? 'text' : 'password';
    button.classList.toggle('is-on', isShown);
    button.setAttribute('aria-label', isShown ? button.dataset.hide : button.dataset.show);
  };
  button.hidden = false;
  button.addEventListener('click', () => show(input.type === 'password'));
  // Browsers offer to remember what is typed into a text field.
  input.form.addEventListener('submit', () => show(false));
}

const contains = { lowerCase: /[a-z]/, upperCase: /[A-Z]/, numbers: /[0-9]/, special: /[^A-Za-z0-9\s]/ };

function isMet(check, value, password) {
  if (check === 'length') return [...password].length >= value;
  if (check === 'repeats') return password !== '' && !new RegExp(`(.)\\1{${value}}`, 'su').test(password);
  return check.split(' ').filter((group) => contains[group].test(password)).length >= value;
}

const rules = document.querySelectorAll('.rules [data-check]');
if (rules.length > 0) {
  const input = document.getElementById('password');
  const tick = () => {
    for (const rule of rules) {
      const met = isMet(rule.dataset.check, Number(rule.dataset.value), input.value);
      rule.classList.toggle('is-met', met);
      rule.querySelector('.unseen').hidden = !met;
    }
  };
  input.addEventListener('input', tick);
  tick();
}

for (const form of document.querySelectorAll('form[data-busy]')) {
  const button = form.querySelector('.primary');
  form.addEventListener('submit', (event) => {
    if (button.getAttribute('aria-busy') === 'true') event.preventDefault();
    button.setAttribute('aria-busy', 'true');
    button.setAttribute('aria-label', form.dataset.busy);
  });
  // The back button brings the page back as it was left.
  addEventListener('pageshow', () => {
    button.removeAttribute('aria-busy');
    button.removeAttribute('aria-label');
  });
}
