// Pieces that several pages are made of.
import {h, svg, replace, freshId} from './dom.js';
import {call} from './rpc.js';
import {agoText, amountText, dateText} from './format.js';
import * as state from './state.js';

// ---- What is loaded, and every state it can be in ---------------------------------------------------

const REFRESH_MS = 15_000;

// An element that shows what `draw` makes of what `load` gives: while it loads, empty, failed, or away.
// Loads again on each of `topics` (as for subscribe), every `every` ms, and when the daemon is back.
// What has not changed is not drawn again, so that nobody loses the place where they are.
export function live(page, {load, draw, topics = [], every = REFRESH_MS, label = 'Loading'}) {
  const box = h('div', {class: 'live', 'aria-busy': 'true'}, skeleton(label));
  let shown = null;
  let running = false;
  let again = false;

  const refresh = async () => {
    if (running) { again = true; return; }
    running = true;
    try {
      const data = await load();
      const text = JSON.stringify(data);
      if (page.alive && text !== shown && !isWrittenIn(box)) {
        keepFocus(box, () => replace(box, draw(data)));
        shown = text;
      }
    } catch (error) {
      if (page.alive && !(error.name === 'away' && shown !== null)) {
        shown = null;
        replace(box, problem(error, refresh));
      }
    }
    box.setAttribute('aria-busy', 'false');
    running = false;
    if (again && page.alive) { again = false; refresh(); }
  };
  for (const topic of topics) page.listen(topic, refresh);
  if (every) page.every(every, refresh);
  page.onBack(refresh);
  box.refresh = refresh;
  refresh();
  return box;
}

// Whether somebody has begun to fill in a form there: it is not drawn over.
const isWrittenIn = (box) => [...box.querySelectorAll('input:not([type=hidden]), textarea:not([readonly])')].some((input) => input.value !== input.defaultValue);

// Draws, and puts the focus back to where it was, as far as that is still there.
function keepFocus(box, drawAll) {
  const stops = () => [...box.querySelectorAll('a, button, input, select, textarea, [tabindex]')];
  const at = stops().indexOf(document.activeElement);
  drawAll();
  if (at >= 0) stops()[at]?.focus({preventScroll: true});
}

const skeleton = (label) => h('p', {class: 'loading'}, h('span', {class: 'dots', 'aria-hidden': 'true'}, h('i'), h('i'), h('i')), `${label}\u2026`);

// What went wrong, why, and what to do.
export function problem(error, retry = null) {
  // Not yet to belong anywhere is no fault.
  const isFault = error.name !== 'no_organization';
  return h('div', {class: isFault ? 'notice bad' : 'notice', role: 'alert'},
    h('p', h('strong', errorTitle(error)), ' ', error.message),
    remedy(error),
    retry && h('p', h('button', {type: 'button', class: 'quiet', onclick: retry}, 'Try again')));
}

const TITLES = {
  away: 'The daemon is away.', no_organization: 'There is no organization yet.', timed_out: 'No answer.',
  insufficient_balance: 'Not enough credit.', not_a_member: 'Not a member.', busy: 'Too much at once.',
};

function errorTitle(error) {
  const word = String(error.name).replaceAll('_', ' ');
  return TITLES[error.name] ?? `${word.charAt(0).toUpperCase()}${word.slice(1)}.`;
}

function remedy(error) {
  if (error.name === 'no_organization') return h('p', h('a', {href: '#/begin'}, 'Join one, or found one'));
  if (error.isUnknownMethod) return h('p', 'This daemon is older than its pages. Start the leitherd that belongs to them.');
  return null;
}

export const empty = (title, ...rest) => h('div', {class: 'empty'}, h('p', h('strong', title)), rest.map((part) => part instanceof Node ? part : h('p', part)));

// ---- Words and numbers -------------------------------------------------------------------------------

export function money(units, direction = '') {
  const sign = direction === 'in' ? '+' : direction === 'out' ? '\u2212' : '';
  return h('span', {class: `money ${direction}`}, sign + amountText(units, state.decimals()), ' ', h('span', {class: 'unit'}, state.unit()));
}

export const when = (ms) => h('time', {datetime: new Date(ms).toISOString(), title: dateText(ms)}, agoText(ms));

// A pattern of 5 by 5, mirrored, by which people tell accounts apart at a glance.
function glyph(id) {
  const cells = [];
  for (let row = 0; row < 5; row++) {
    for (let column = 0; column < 3; column++) {
      const nibble = parseInt(id[(row * 3 + column) % id.length] || '0', 16);
      if (nibble % 2) continue;
      cells.push([column, row]);
      if (column < 2) cells.push([4 - column, row]);
    }
  }
  const hue = parseInt(id.slice(-2), 16) % 6;
  return svg('svg', {class: `glyph hue-${hue}`, viewBox: '-1 -1 7 7', 'aria-hidden': 'true'},
    svg('rect', {x: -1, y: -1, width: 7, height: 7, class: 'ground'}),
    cells.map(([x, y]) => svg('rect', {x, y, width: 1, height: 1})));
}

// An account: glyph and name, with a way to its history.
export function who(id, {link = true} = {}) {
  const inside = [glyph(id), h('span', {class: 'name'}, state.nameOf(id))];
  if (!link) return h('span', {class: 'who', title: id}, inside);
  return h('a', {class: 'who', href: `#/history/${id}`, title: id}, inside);
}

export const badge = (text, kind = '') => h('span', {class: `badge ${kind}`}, text);

// A command to type, with a button that copies it.
export function command(text, lead = null) {
  return h('div', {class: 'command'}, lead && h('p', lead), h('div', {class: 'copyable'}, h('code', text), copyButton(text, 'Copy the command')));
}

export function copyButton(text, label = 'Copy') {
  return h('button', {type: 'button', class: 'quiet copy', 'aria-label': label, onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      note('Copied.');
    } catch {
      note('The browser does not let this page copy. Select the text and copy it by hand.');
    }
  }}, 'Copy');
}

// Saves a file where the browser puts them. `parts` are texts and bytes.
export function saveFile(parts, type, name) {
  const url = URL.createObjectURL(new Blob(parts, {type}));
  const link = h('a', {href: url, download: name, hidden: true});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// A word to everybody, also to those who listen.
export function note(text) {
  const notes = document.getElementById('notes');
  const line = h('p', text);
  notes.append(line);
  setTimeout(() => line.remove(), 6000);
}

// ---- Frames ---------------------------------------------------------------------------------------------

export function card(title, ...content) {
  const id = freshId('card');
  return h('section', {class: 'card', 'aria-labelledby': id}, h('h2', {id}, title), content);
}

export function facts(rows) {
  return h('dl', {class: 'facts'}, rows.filter(Boolean).map(([name, value]) => h('div', h('dt', name), h('dd', value))));
}

// `columns`: [{title, cell(item), right?, key?}]. On a phone each row becomes a small card, each cell named;
// or as the style arranges the keys of tables of that `kind`.
export function table(caption, columns, items, kind = '') {
  // The roles are said, since on a phone the style takes them away.
  return h('table', {class: `list ${kind}`, role: 'table'},
    h('caption', {class: 'visually-hidden'}, caption),
    h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, columns.map((column) =>
      h('th', {scope: 'col', role: 'columnheader', class: column.right ? 'right' : null}, column.title)))),
    h('tbody', {role: 'rowgroup'}, items.map((item) => h('tr', {role: 'row'}, columns.map((column) =>
      h('td', {role: 'cell', class: `${column.key ?? ''}${column.right ? ' right' : ''}`, 'data-title': column.title}, column.cell(item)))))));
}

// ---- Forms ------------------------------------------------------------------------------------------------

// A named input with a hint. `control` is made by make(id, describedBy).
export function field(label, make, hint = null) {
  const id = freshId('field');
  const hintId = hint ? `${id}-hint` : null;
  return h('div', {class: 'field'}, h('label', {for: id}, label), make({id, 'aria-describedby': hintId}),
    hint && h('p', {class: 'hint', id: hintId}, hint));
}

export const textField = (label, name, more = {}, hint = null) => field(label, (at) => h('input', {type: 'text', autocomplete: 'off', ...more, ...at, name}), hint);

export const amountField = (label = 'Amount', hint = null) => field(label, (at) => h('div', {class: 'with-unit'},
  h('input', {type: 'text', inputmode: 'decimal', autocomplete: 'off', required: true, ...at, name: 'amount'}),
  h('span', {class: 'unit'}, state.unit())), hint);

export function choiceField(label, name, choices, value = null, hint = null) {
  return field(label, (at) => h('select', {...at, name}, choices.map(([key, text]) => h('option', {value: key, selected: key === value}, text))), hint);
}

export function accountField(label, name, list) {
  const best = state.chosen(list);
  return choiceField(label, name, list.map((one) => [one.account, one.balance === null ? one.name : `${one.name}, ${state.money(one.balance)}`]), best?.account);
}

// A form that does `act(values, form)`, and below it what came of that, or why nothing did. What comes may
// hold a form itself, so it stands behind this one and not within.
export function form(label, fields, act, more = {}) {
  const outcome = h('div', {class: 'outcome', 'aria-live': 'polite'});
  const button = h('button', {type: 'submit'}, label);
  const element = h('form', {novalidate: true, ...more, onsubmit: async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    replace(outcome);
    takeBackComplaints(element);
    try {
      replace(outcome, await act(Object.fromEntries(new FormData(element)), element));
    } catch (error) {
      if (!complainAt(element, error)) replace(outcome, problem(error));
    }
    button.disabled = false;
  }}, fields, h('div', {class: 'actions'}, button));
  return h('div', {class: 'form'}, element, outcome);
}

// What the daemon refuses by name, and the field that is to be looked at.
const FIELDS = {
  bad_amount: 'amount', zero_amount: 'amount', parameter_out_of_bounds: 'value', unknown_parameter: 'parameter', missing_reason: 'reason',
  unknown_account: 'member', not_a_member: 'member', bad_tag: 'tag', bad_decimals: 'decimals', bad_share: 'share', missing_proof: 'text',
};
const fieldOf = (error) => error.field ?? FIELDS[error.name] ?? (error.name.startsWith('invitation_') ? 'link' : /(?:^|field )"(\w+)"/.exec(error.message)?.[1]);

// Shows the error below the field it is about; whether there is such a field.
function complainAt(element, error) {
  const name = fieldOf(error);
  const control = name ? element.elements.namedItem(name) : null;
  const place = control instanceof Element ? control.closest('.field') : null;
  if (!place) return false;
  const complaint = problem(error);
  complaint.id = freshId('complaint');
  complaint.classList.add('complaint');
  place.append(complaint);
  control.setAttribute('aria-invalid', 'true');
  control.setAttribute('aria-errormessage', complaint.id);
  control.focus();
  return true;
}

function takeBackComplaints(element) {
  for (const complaint of element.querySelectorAll('.complaint')) complaint.remove();
  for (const control of element.querySelectorAll('[aria-invalid]')) {
    control.removeAttribute('aria-invalid');
    control.removeAttribute('aria-errormessage');
  }
}

// A button that does `act` once, and says `done`, or why nothing was done. `outcome` is where.
export function actButton(label, act, {done, outcome, then = () => {}, quiet = false}) {
  const button = h('button', {type: 'button', class: quiet ? 'quiet' : null, onclick: async () => {
    if (button.disabled) return;
    button.disabled = true;
    try {
      await act();
      note(done);
      then();
    } catch (error) {
      replace(outcome, problem(error));
    }
    button.disabled = false;
  }}, label);
  return button;
}

const SOURCES = {signature: 'signed', journal: 'this wallet\u2019s journal', letter: 'a letter', mempool: 'this node', block: 'a block', clock: 'the clock'};

// "Why?": the chain of facts that explains a payment or a request.
export function whyButton(params) {
  const outcome = h('div', {class: 'why', 'aria-live': 'polite'});
  return h('div', {class: 'explained'}, h('button', {type: 'button', class: 'quiet small', onclick: async () => {
    try {
      const {facts} = await call('wallet.why', params);
      replace(outcome, h('ol', facts.map((fact) => h('li', {class: fact.name === 'so' ? 'so' : null}, fact.text,
        SOURCES[fact.source] ? h('span', {class: 'hint'}, ` (${SOURCES[fact.source]})`) : null))));
    } catch (error) {
      replace(outcome, error.isUnknownMethod ? command(`leither why ${params.id}`, 'Ask the command line:') : problem(error));
    }
  }}, 'Why?'), outcome);
}

// What people wrote around the token that a letter carries.
export const wordsOf = (text) => text.replaceAll(/leither:[a-z]+:\S+/g, '').trim();

// ---- Without a wallet in the daemon ------------------------------------------------------------------------

// Why nothing can be done from here, and the command that does it.
export function withoutWallet(wallet, commandText) {
  const lead = {
    missing: 'This daemon has no wallet: your keys lie with the command line, which signs. Type:',
    disabled: 'This daemon runs without spending keys (wallet.enabled is false). On the machine that has them, type:',
    locked: 'The wallet is locked. Unlock it here, or type:',
  }[wallet.reason];
  return h('div', {class: 'notice'}, command(commandText, lead),
    wallet.reason === 'locked' && h('p', h('a', {href: '#/unlock'}, 'Unlock the wallet')));
}

export const guard = (text) => /^[A-Za-z0-9._:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
