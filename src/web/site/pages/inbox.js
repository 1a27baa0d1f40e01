// What waits for an answer: requests, applications, claims; and letters.
import {h, replace} from '../dom.js';
import {call} from '../rpc.js';
import {badge, card, empty, form, live, money, note, problem, when, who, field, choiceField, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Inbox';

const KINDS = {request: 'asks to be paid', application: 'wants to become a member', claim: 'takes on a task', submission: 'hands in a task', letter: 'writes'};

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
  page.show(box);
}

function draw(data, refresh) {
  if (!data.wallet.usable) return withoutWallet(data.wallet, 'leither message list');
  const waiting = data.items.filter((item) => item.state === 'waiting');
  const settled = data.items.filter((item) => item.state !== 'waiting');
  const letters = data.letters.filter((letter) => !data.items.some((item) => item.id === letter.id));
  return [
    card('Waiting for you', waiting.length === 0 ? empty('Nothing waits.', 'Requests to pay, applications and finished tasks come here.')
      : h('ul', {class: 'items'}, waiting.map((item) => entry(item, refresh)))),
    card('Letters', letters.length === 0 ? empty('No letters.') : h('ul', {class: 'items'}, letters.map(letterEntry)), write(data.wallet)),
    settled.length > 0 && card('Answered', h('ul', {class: 'items'}, settled.map((item) => entry(item, refresh)))),
  ];
}

function entry(item, refresh) {
  const outcome = h('div', {'aria-live': 'polite'});
  const act = async (method, params, done) => {
    try {
      await call(method, params);
      note(done);
      refresh();
    } catch (error) {
      replace(outcome, problem(error));
    }
  };
  const isWaiting = item.state === 'waiting';
  const accept = item.kind === 'request' ? 'Pay' : item.kind === 'application' ? 'Approve' : 'Confirm';
  return h('li',
    h('div', {class: 'line'}, who(item.from), h('span', KINDS[item.kind] ?? item.kind), item.amount && money(item.amount), isWaiting ? null : badge(item.state, 'plain')),
    item.reference && h('p', item.reference),
    h('p', {class: 'hint'}, 'To ', state.nameOf(item.account), ', ', when(item.sent_ms), item.expires_ms ? [', good until ', when(item.expires_ms)] : null),
    item.why_waiting && h('p', {class: 'hint'}, item.why_waiting),
    isWaiting && item.kind !== 'letter' && h('div', {class: 'actions'},
      h('button', {type: 'button', onclick: () => act('wallet.accept', {id: item.id}, 'Done. It is on its way into the ledger.')}, accept),
      h('button', {type: 'button', class: 'quiet', onclick: () => act('wallet.decline', {id: item.id}, 'Declined. The other side is told.')}, 'Decline')),
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
