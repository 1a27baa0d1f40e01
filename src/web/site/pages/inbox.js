// What waits for an answer: requests, applications, claims; and letters.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {parseAmount} from '../format.js';
import {actButton, amountField, badge, card, choiceField, empty, field, form, live, money, note, textField, when, who, whyButton, withoutWallet, wordsOf} from '../parts.js';
import * as state from '../state.js';

export const title = 'Inbox';

const KINDS = {request: 'asks to be paid', application: 'wants to become a member', claim: 'takes on a task', submission: 'hands in a task', letter: 'writes'};

// Where the other kinds are decided on.
const PLACES = {application: ['members', 'Decide on it with the members'], claim: ['tasks', 'See it with the tasks'], submission: ['tasks', 'Decide on it with the tasks']};

async function load() {
  const organization = await state.organization();
  const wallet = await state.wallet();
  if (!wallet.usable) return {wallet, organization: organization !== null};
  const [inbox, ...letters] = await Promise.all([call('wallet.inbox'), ...wallet.accounts.map((one) => lettersOf(one))]);
  return {wallet, organization: organization !== null, items: inbox.items, letters: letters.flat().sort((a, b) => b.sent_ms - a.sent_ms)};
}

async function lettersOf(account) {
  try {
    return (await call('wallet.letters', {account: account.account})).map((letter) => ({...letter, account: account.account}));
  } catch (error) {
    if (['away', 'timed_out'].includes(error.name)) throw error;
    return [];  // of an account that no node serves there are none
  }
}

export function show(page) {
  const box = live(page, {load, draw: (data) => draw(data, () => box.refresh())});
  page.show(box, live(page, {load: loadPolicy, draw: (rules) => drawPolicy(rules), every: 0}));
}

// ---- What is paid without being asked ------------------------------------------------------------------------

async function loadPolicy() {
  if (!await state.organization() || !(await state.wallet()).usable) return null;
  try {
    return (await call('wallet.policy')).rules;
  } catch (error) {
    if (error.isUnknownMethod) return null;
    throw error;
  }
}

function drawPolicy(rules) {
  if (!rules) return null;
  const outcome = h('div', {'aria-live': 'polite'});
  const set = (next) => call('wallet.set_policy', {rules: next});
  return card('Paid by itself',
    rules.length === 0 ? empty('Nothing is paid without asking you.', 'For whom you trust you may allow it, up to an amount each and in a day.')
      : h('ul', {class: 'items'}, rules.map((rule) => h('li', h('div', {class: 'line'}, who(rule.from), h('span', 'up to ', money(rule.amount_max), ' each, ', money(rule.per_day), ' a day'),
        actButton('Remove', () => set(rules.filter((one) => one !== rule)), {done: 'Removed.', outcome, then: () => window.dispatchEvent(new HashChangeEvent('hashchange')), quiet: true}))))),
    outcome,
    h('details', h('summary', 'Allow somebody'), form('Allow', [
      textField('Payee', 'from', {required: true, maxlength: 40, spellcheck: 'false'}, 'The 40 digits of an account.'),
      amountField('Most for one request'),
      field('Most in a day', (at) => h('div', {class: 'with-unit'}, h('input', {type: 'text', inputmode: 'decimal', autocomplete: 'off', required: true, ...at, name: 'per_day'}), h('span', {class: 'unit'}, state.unit()))),
    ], async ({from, amount, per_day: perDay}) => {
      const rule = {from: from.trim().toLowerCase(), amount_max: parseAmount(amount, state.decimals()), per_day: parseAmount(perDay, state.decimals())};
      await set([...rules.filter((one) => one.from !== rule.from), rule]);
      note('Allowed.');
      window.dispatchEvent(new HashChangeEvent('hashchange'));
    })));
}

// ---- What waits, and letters -------------------------------------------------------------------------------------

function draw(data, refresh) {
  if (!data.wallet.usable) return withoutWallet(data.wallet, 'leither message list');
  const waiting = data.items.filter((item) => item.state === 'waiting');
  const settled = data.items.filter((item) => item.state !== 'waiting');
  const letters = data.letters.filter((letter) => !data.items.some((item) => item.message === letter.id));
  return [
    card('Waiting for you', waiting.length === 0 ? empty('Nothing waits.', 'Requests to pay, applications and finished tasks come here.')
      : h('ul', {class: 'items'}, waiting.map((item) => entry(item, refresh)))),
    card('Letters', letters.length === 0 ? empty('No letters.') : h('ul', {class: 'items'}, letters.map(letterEntry)), write(data.wallet)),
    settled.length > 0 && card('Answered', h('ul', {class: 'items'}, settled.map((item) => entry(item, refresh)))),
  ];
}

function entry(item, refresh) {
  const outcome = h('div', {'aria-live': 'polite'});
  const isWaiting = item.state === 'waiting';
  return h('li',
    h('div', {class: 'line'}, who(item.from), h('span', KINDS[item.kind] ?? item.kind), item.amount && money(item.amount), isWaiting ? null : badge(item.state, 'plain')),
    item.reference && h('p', item.reference),
    wordsOf(item.text ?? '') && h('p', {class: 'letter'}, wordsOf(item.text)),
    item.refusal && h('p', {class: 'hint'}, `Refused: ${typeof item.refusal === 'string' ? item.refusal.replaceAll('_', ' ') : item.refusal.message}`),
    h('p', {class: 'hint'}, 'To ', state.nameOf(item.account), ', ', when(item.sent_ms), item.expires_ms ? [', good until ', when(item.expires_ms)] : null),
    isWaiting && item.why_waiting && h('p', {class: 'hint'}, `Not paid by itself: ${item.why_waiting}`),
    isWaiting && PLACES[item.kind] && h('p', h('a', {href: `#/${PLACES[item.kind][0]}`}, PLACES[item.kind][1])),
    isWaiting && item.kind === 'request' && h('div', {class: 'actions'},
      actButton('Pay', () => call('wallet.accept', {id: item.id}), {done: 'Done. It is on its way into the ledger.', outcome, then: refresh}),
      actButton('Decline', () => call('wallet.decline', {id: item.id}), {done: 'Declined. The other side is told.', outcome, then: refresh, quiet: true})),
    item.kind === 'request' && whyButton({id: item.id}),
    outcome);
}

const letterEntry = (letter) => h('li',
  h('div', {class: 'line'}, who(letter.from), when(letter.sent_ms)),
  h('p', {class: 'letter'}, letter.text),
  h('p', {class: 'hint'}, 'To ', state.nameOf(letter.account)));

function write(wallet) {
  return h('details', h('summary', 'Write a letter'), form('Send', [
    choiceField('From', 'account', wallet.accounts.map((one) => [one.account, one.name])),
    field('To', (at) => h('input', {type: 'text', autocomplete: 'off', spellcheck: 'false', required: true, maxlength: 40, ...at, name: 'to'}), 'The 40 digits of an account.'),
    field('Letter', (at) => h('textarea', {rows: 4, required: true, ...at, name: 'text'}), 'Sealed: only the recipient can read it.'),
  ], async ({account, to, text}, element) => {
    await call('wallet.send', {account, to: to.trim().toLowerCase(), text});
    element.reset();
    return h('p', 'Sent.');
  }));
}
