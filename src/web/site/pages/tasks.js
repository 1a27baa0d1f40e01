// Work that earns pay, and guests their membership: promised, claimed, handed in, accepted.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {encode} from '../qr.js';
import {qrPicture} from '../charts.js';
import {given, keyField, needsOthers, offerTo, outcomeOf, shownText, supervisorsOf, textOf, unitsOf, wrong} from '../acts.js';
import {amountField, badge, card, choiceField, empty, field, form, live, money, note, textField, when, who, withoutWallet} from '../parts.js';
import {dateText} from '../format.js';
import * as state from '../state.js';

export const title = 'Tasks';

const TIMES = [['7', 'a week'], ['30', '30 days'], ['90', '90 days'], ['365', 'a year']];

export function show(page) {
  const list = live(page, {load, draw: (data) => draw(page, data, () => list.refresh()), topics: [{topic: 'block'}]});
  page.show(list, live(page, {every: 0, load: loadBase, draw: (data) => drawForms(data, () => list.refresh())}));
}

async function loadBase() {
  const organization = await state.organization();
  const followed = await state.followed();
  return {organization, follows: Boolean(followed?.chain_id), isFound: organization !== null || followed !== null, wallet: await state.wallet()};
}

async function load() {
  const base = await loadBase();
  if (!base.isFound) throw wrong('no_organization', 'So there are no tasks.');
  return {...base, tasks: base.wallet.usable && base.follows ? (await call('wallet.tasks')).reverse() : []};
}

function draw(page, data, refresh) {
  const {wallet, tasks, follows} = data;
  if (!wallet.usable) return withoutWallet(wallet, 'leither task list');
  if (!follows) return empty('Tasks are on their way in letters.', 'Letters need an organization that is published in the network: that happens with the first invitation.');
  return card('Tasks', tasks.length === 0 ? empty('No tasks are known here.', 'A supervisor promises one and hands you its text; with it you say that you do it.')
    : h('ul', {class: 'items'}, tasks.map((task) => entry(page, task, data, refresh))));
}

// Who it was stands below; why it was not accepted does too.
const wordOf = (words) => words.split(/ (?:to|by) |: /)[0];
const kindOf = (words) => words === 'open' ? '' : words.startsWith('paid') ? '' : words.startsWith('not accepted') || words === 'over' ? 'bad' : 'warn';

function entry(page, task, data, refresh) {
  const {wallet} = data;
  const isPromiser = wallet.accounts.some((one) => one.account === task.supervisor);
  const isOver = task.state.startsWith('paid');
  const isRefused = task.state.startsWith('not accepted');
  const handedIn = task.submissions.at(-1);
  const isOurs = (work) => wallet.accounts.some((one) => one.account === work.worker);
  return h('li',
    h('div', {class: 'line'}, h('h3', task.title), money(task.amount), badge(wordOf(task.state), kindOf(task.state))),
    task.text && h('p', {class: 'letter'}, task.text),
    isRefused && h('p', sentence(task.state)),
    h('p', {class: 'hint line'}, h('span', {class: 'line'}, 'Promised by ', who(task.supervisor)), h('span', `to be handed in until ${dateText(task.expires_ms)}`)),
    task.claims.length > 0 && h('p', {class: 'hint line'}, 'Claimed by ', task.claims.map((one) => who(one.worker))),
    task.submissions.map((one) => h('p', {class: 'line'}, who(one.worker), h('span', `hands it in: ${one.proof ?? ''}`), when(one.sent_ms))),
    !isOver && !isRefused && handedIn && supervisorsOf(wallet).length > 0 && deciding(page, task, handedIn, data, refresh),
    !isOver && !isPromiser && working(task, data, task.claims.some(isOurs), refresh),
    isPromiser && !isOver && h('details', h('summary', 'Hand it on'), handingOn(task.task)));
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function handingOn(text) {
  const drawn = encode(text.toUpperCase(), 'L');
  return [
    h('p', {class: 'hint'}, 'Whoever is to do it pastes this below, on their own tasks page.'),
    drawn && qrPicture(drawn, 'QR code of the task'), shownText('Text of the task', text),
  ];
}

// ---- Whoever does it ----------------------------------------------------------------------------------------

function working(task, {wallet}, isClaimed, refresh) {
  if (wallet.accounts.length === 0) return null;
  return [
    !isClaimed && form('I do it', [keyField('As', wallet.accounts)], async ({account}) => {
      await call('wallet.claim_task', {task: task.id, account});
      note('The supervisor is told that you do it.');
      refresh();
    }, {'aria-label': `Claim: ${task.title}`}),
    h('details', h('summary', 'Hand it in'), form('Hand in', [
      textField('What shows that it is done?', 'text', {required: true, maxlength: 280}, 'A photograph, a document, who has seen it. The supervisor looks at it, and it becomes public with the pay.'),
      keyField('As', wallet.accounts),
      wallet.accounts.some((one) => !one.member) && textField('Note', 'note', {maxlength: 140}, 'Of a guest, whom this work makes a member: a line about yourself. May stay empty.'),
    ], async (values, element) => {
      await call('wallet.submit_task', {task: task.id, account: values.account, text: textOf(values, 'text', 'Say what shows that it is done.'), ...given(values, 'note')});
      element.reset();
      note('Handed in. The supervisor decides.');
      refresh();
      return h('p', 'Handed in.');
    }, {'aria-label': `Hand in: ${task.title}`})),
  ];
}

// ---- Whoever decides ----------------------------------------------------------------------------------------

function deciding(page, task, {worker}, {organization, wallet}, refresh) {
  const supervisors = supervisorsOf(wallet);
  return [
    needsOthers(organization),
    form('Accept and pay', [keyField('Signed by', supervisors)], async ({account}) => {
      const answer = await call('wallet.confirm_task', {task: task.id, worker, account, ...offerTo(organization)});
      return outcomeOf(page, answer, account, {done: 'Accepted. A guest is a member and paid at once; a member is paid once everybody has had time to object.', refused: 'Nobody was paid.', onCommitted: () => setTimeout(refresh, 1500)});
    }, {'aria-label': `Accept: ${task.title}`}),
    h('details', h('summary', 'Do not accept it'), form('Do not accept', [
      textField('Reason', 'reason', {required: true, maxlength: 140}, 'The worker reads it, and may hand it in again.'),
      keyField('Said by', supervisors),
    ], async (values) => {
      await call('wallet.refuse_task', {task: task.id, worker, account: values.account, reason: textOf(values, 'reason', 'Say what is missing.')});
      note('The reason is on its way to the worker.');
      refresh();
      return h('p', 'Not accepted.');
    }, {class: 'second', 'aria-label': `Do not accept: ${task.title}`})),
  ];
}

// ---- New ones ------------------------------------------------------------------------------------------------

function drawForms({organization, follows, wallet}, refresh) {
  if (!wallet.usable || !follows) return null;
  return [
    wallet.accounts.length > 0 && card('A task you were given', taking(wallet, refresh)),
    organization && supervisorsOf(wallet).length > 0 && card('Promise a task', promising(wallet, refresh)),
  ];
}

function taking(wallet, refresh) {
  return form('Say that I do it', [
    field('Text of the task', (at) => h('textarea', {rows: 4, spellcheck: 'false', autocomplete: 'off', required: true, ...at, name: 'task', placeholder: 'leither:task:\u2026'}), 'Paste what the supervisor gave you.'),
    keyField('As', wallet.accounts),
  ], async ({task, account}, element) => {
    const text = task.replaceAll(/\s/g, '');
    if (!/^leither:task:[0-9a-z]+$/i.test(text)) throw wrong('not_a_task', 'A task begins with leither:task: and is one word. Ask the supervisor for the whole text.', 'task');
    await call('wallet.claim_task', {task: text, account});
    element.reset();
    note('It is yours to do.');
    refresh();
    return h('p', 'It is yours to do, and is listed above.');
  });
}

function promising(wallet, refresh) {
  return form('Promise it', [
    textField('What is to be done?', 'title', {required: true, maxlength: 80}, 'In a line.'), amountField('What it pays', 'From the treasury, once you accept the work.'),
    field('More about it', (at) => h('textarea', {rows: 3, maxlength: 280, ...at, name: 'text'}), 'May stay empty.'),
    choiceField('To be handed in within', 'days', TIMES, '30'), keyField('Promised by', supervisorsOf(wallet)),
  ], async (values, element) => {
    const made = await call('wallet.create_task', {title: textOf(values, 'title', 'Say in a line what is to be done.'), amount: unitsOf(values), ...given(values, 'text'), days: Number(values.days), account: values.account});
    element.reset();
    refresh();
    return h('div', {class: 'offer', role: 'status'}, h('p', 'Promised. Hand it to whoever may do it:'), handingOn(made.task));
  });
}
