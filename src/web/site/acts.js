// What several pages need to act: who signs, and what comes of it, be it steps into the ledger or the
// signatures of others that are still missing.
import {h, replace} from './dom.js';
import {call} from './rpc.js';
import {countOf, parseAmount, shortId} from './format.js';
import {choiceField, copyButton, note, problem, textField, who, whyButton} from './parts.js';
import * as state from './state.js';

// ---- What was written into a form ---------------------------------------------------------------------

// An error about one field of a form: it is shown there.
export const wrong = (name, message, field) => Object.assign(new Error(message), {name, field});

// The text of a field that may not stay empty.
export function textOf(values, field, complaint) {
  const text = (values[field] ?? '').trim();
  if (text === '') throw wrong('something_is_missing', complaint, field);
  return text;
}

// Fields that may stay empty are left out then: {proof: 'photo 7'}.
export const given = (values, ...fields) => Object.fromEntries(fields.map((field) => [field, (values[field] ?? '').trim()]).filter(([, text]) => text !== ''));

// In smallest units.
export function unitsOf(values, decimals = state.decimals(), field = 'amount') {
  try {
    return parseAmount(values[field] ?? '', decimals);
  } catch (error) {
    throw wrong('not_an_amount', error.message, field);
  }
}

export function accountOf(values, field) {
  const id = (values[field] ?? '').trim().toLowerCase();
  if (!/^[0-9a-f]{40}$/.test(id)) throw wrong('not_an_account', 'An account has 40 digits and letters from a to f. Its owner finds it on the members page, with a button that copies it.', field);
  return id;
}

const MEMBERS_MAX = 200;

// {items, more} of the organization's members; those beyond are named by their number.
export async function membersToChoose() {
  const list = await call('member.list', {limit: MEMBERS_MAX});
  return {items: list.items.map((one) => ({account: one.account, role: one.role})), more: list.next !== undefined};
}

// A choice among the members, or a field for a number where they are too many to choose from.
export function memberField(label, name, {items, more}, hint = null) {
  if (more) return textField(label, name, {required: true, maxlength: 40, spellcheck: 'false'}, hint ?? 'The 40 digits of an account.');
  return choiceField(label, name, items.map((one) => [one.account, state.nameOf(one.account)]), null, hint);
}

// ---- Who signs -------------------------------------------------------------------------------------------

export const supervisorsOf = (wallet) => wallet.accounts.filter((one) => one.role === 'supervisor');

export function keyField(label, accounts, name = 'account') {
  return choiceField(label, name, accounts.map((one) => [one.account, one.name]), state.chosen(accounts)?.account);
}

// How many supervisors must sign an act.
export const signaturesNeeded = (info) => Math.min(info?.params?.supervisors_required ?? 1, info?.bookkeeping?.supervisors?.length ?? 1);

// What makes the daemon ask other supervisors, where one is not enough.
export const offerTo = (info) => signaturesNeeded(info) > 1 ? {offer: 'yes'} : {};

export const needsOthers = (info) => signaturesNeeded(info) > 1
  && h('p', {class: 'hint'}, `Here ${countOf(signaturesNeeded(info), 'supervisor')} must sign. You sign first; the others are asked by letter and sign on their members page.`);

// ---- What comes of it ------------------------------------------------------------------------------------

// Of an act that was answered with {id, state}, or with an offer to those who are still to sign.
export function outcomeOf(page, answer, signer, words = {}) {
  return answer.offer ? offered(answer) : follow(page, answer.id, signer, words);
}

function offered({offer, missing}) {
  return h('div', {class: 'offer', role: 'status'},
    h('p', h('strong', 'Not done yet. '), `${countOf(missing.length, 'signature')} still missing:`),
    h('ul', missing.map((id) => h('li', who(id)))),
    h('p', 'It is on its way to them as a letter; they sign on their members page. You may also hand them this text:'),
    shownText('Text to sign', offer));
}

// A text to hand over, with a button that copies it.
export function shownText(label, text) {
  return [
    h('textarea', {readonly: true, rows: 4, spellcheck: 'false', 'aria-label': label}, text),
    h('div', {class: 'actions'}, copyButton(text, `Copy: ${label}`)),
  ];
}

const STEPS = ['pending', 'committed', 'secured', 'settled'];
const WORDS = {
  pending: 'Waiting for the next block.',
  committed: 'In the ledger. Not secured yet: more nodes must check it.',
  secured: 'Secured. It settles by itself unless somebody proves an error.',
  settled: 'Settled: nobody has proven an error while it was public. Nothing is left to do.',
  refused: 'Nothing was done.',
  expired: 'Nothing was done, and it cannot be any more.',
};
const isDecided = (step) => STEPS.indexOf(step) > 0;

// Shows the steps of a transaction as it takes them. `done` says what is achieved once it is in a block, and
// `onCommitted` is told then; other words replace some of those above.
export function follow(page, id, signer, {done = '', onCommitted = () => {}, ...words} = {}) {
  const box = h('div', {class: 'follow', role: 'status'}, h('p', 'Sent.'));
  const said = {...WORDS, ...words};
  for (const step of STEPS.filter(isDecided)) said[step] = `${done} ${said[step]}`.trim();
  let last = '';
  const look = async () => {
    const status = await call('transaction.status', {id, signer});
    const step = status.state;
    if (step === last) return step;
    if (isDecided(step)) {
      note(said[step]);
      if (!isDecided(last)) onCommitted();
    }
    last = step;
    replace(box, drawSteps(step, status, id, said));
    return step;
  };
  const again = async () => {
    if (!page.alive) return;
    try {
      if (['secured', 'settled', 'refused', 'expired'].includes(await look())) return;
    } catch (error) {
      replace(box, problem(error));
    }
    setTimeout(again, 700);
  };
  again();
  return box;
}

function drawSteps(step, status, id, words) {
  const details = h('div', {class: 'line'}, h('p', {class: 'hint'}, 'Transaction ', h('code', {title: id}, shortId(id))), step === 'settled' ? null : whyButton({id}));
  if (step === 'refused') return h('div', {class: 'notice bad'}, h('p', h('strong', 'Refused. '), status.refusal.message, ` ${words.refused}`), details);
  if (step === 'unknown') return h('div', {class: 'notice'}, h('p', 'This node does not know what became of it yet. It either comes into a block before it expires, or never.'), details);
  if (step === 'expired') return h('div', {class: 'notice bad'}, h('p', h('strong', 'Expired. '), `It was in no block in time. ${words.expired}`), details);
  const reached = STEPS.indexOf(step);
  return [
    h('ol', {class: 'steps'}, STEPS.map((name, index) => h('li', {class: index <= reached ? 'done' : null, 'aria-current': index === reached ? 'step' : null}, name))),
    h('p', words[step]), details,
  ];
}

