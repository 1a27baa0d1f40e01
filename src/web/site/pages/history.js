// What happened with an account, and receipts that prove it.
import {h, replace} from '../dom.js';
import {call} from '../rpc.js';
import {amountText, shortId, utcText} from '../format.js';
import {card, command, copyButton, empty, facts, field, form, live, money, note, problem, saveFile, table, textField, when, who} from '../parts.js';
import * as state from '../state.js';

export const title = 'History';

const PAGE = 50;
const KINDS = {transfer: 'payment', join: 'joined', leave: 'left', role: 'role changed', pledge: 'pledged', release: 'pledge ended',
  cancel: 'cancelled', propose: 'proposed a vote', cast: 'voted', claim: 'for keeping the books', evidence: 'convicted a bookkeeper',
  hand_over: 'seats handed over', recovery: 'committee replaced', earn: 'earned by a task'};
export const kindText = (item) => KINDS[item.kind] ?? item.kind.replaceAll('_', ' ');

export async function show(page) {
  const organization = await state.organization();
  if (!organization) throw Object.assign(new Error('There is no history.'), {name: 'no_organization'});
  const accounts = await state.accounts();
  const account = page.parameters[0] ?? state.chosen(accounts)?.account;
  const picker = accounts.length > 0 && choosePart(accounts, account);
  if (!account) {
    page.show(empty('No account to show.', 'The overview says how to make one or watch one.'));
    return;
  }
  const pages = {limit: PAGE};
  const isOwn = accounts.some((one) => one.account === account && one.own);
  const box = live(page, {load: () => load(account, pages), draw: (data) => draw({...data, isOwn}, pages, () => box.refresh()),
    topics: [{topic: 'account', account}, {topic: 'final'}]});
  page.show(picker, box, await namePart(account, accounts, organization));
}

function choosePart(accounts, account) {
  const known = accounts.some((one) => one.account === account);
  return h('div', {class: 'picker'}, field('Account', (at) => h('select', {...at, onchange: (event) => {
    if (known) state.choose(event.target.value);
    location.hash = `#/history/${event.target.value}`;
  }}, !known && h('option', {value: account, selected: true}, `${state.nameOf(account)}`),
    accounts.map((one) => h('option', {value: one.account, selected: one.account === account}, one.name)))));
}

// Somebody else's account gets a name here; nobody else is told.
async function namePart(account, accounts, organization) {
  const isOthers = account !== organization.id && !accounts.some((one) => one.account === account && one.own);
  const {reason} = await state.wallet();
  if (!isOthers || reason === 'missing' || reason === 'disabled') return null;
  const name = state.contactList().find((one) => one.account === account)?.name ?? '';
  return card('What you call this account',
    form(name ? 'Change the name' : 'Give a name', [
      textField('Name', 'name', {maxlength: 64, value: name, spellcheck: 'false'}, 'Small letters and digits, without blanks. Only you see it. Empty: no name.'),
    ], async ({name: next}) => {
      await state.nameContact(account, next.trim());
      await state.wallet();
      return h('p', {class: 'notice'}, next.trim() ? `Called ${next.trim()} from now on, here and on the command line.` : 'It has no name any more.');
    }));
}

async function load(account, {limit}) {
  const answer = await call('account.get', {account});
  const items = [];
  let before;
  let pruned = false;
  do {
    const part = await call('account.history', {account, limit: Math.min(500, limit - items.length), ...(before === undefined ? {} : {before})});
    items.push(...part.items);
    pruned = part.pruned;
    before = part.next;
  } while (before !== undefined && items.length < limit);
  return {account, record: answer.record, items, more: before !== undefined, pruned};
}

function draw({account, record, items, more, pruned, isOwn}, pages, refresh) {
  return [
    card('Account', accountFacts(account, record),
      h('div', {class: 'actions'}, fullReceipt(account, null, 'Receipt of today'), isOwn && endorsedReceipt(account)),
      isOwn && h('p', {class: 'hint'}, 'The one for strangers shows what the account holds now and no neighbour\u2019s sums; the bookkeepers answer for it. Keep the others to those who may see such sums.')),
    card('What happened', items.length === 0 ? empty('Nothing yet.') : table('Transactions, newest first', [
      {title: 'When', key: 'when', cell: (item) => when(item.time_ms)},
      {title: 'What', key: 'what', cell: kindText},
      {title: 'With', key: 'with', cell: (item) => item.counterparty ? who(item.counterparty) : '\u2013'},
      {title: 'For', key: 'for', cell: (item) => item.reference ?? ''},
      {title: 'Amount', key: 'amount', right: true, cell: (item) => item.amount ? money(item.amount, item.direction) : ''},
      {title: 'Proof', key: 'proof', right: true, cell: (item) => fullReceipt(account, item.sequence, 'Receipt')},
    ], items, 'history'),
    more && h('p', h('button', {type: 'button', class: 'quiet', onclick: () => { pages.limit += PAGE; refresh(); }}, 'Show older ones')),
    !more && pruned && h('p', {class: 'hint'}, 'Older ones lie behind this node\u2019s history window.')),
  ];
}

function accountFacts(account, record) {
  return facts([
    ['Number', h('span', {class: 'copyable'}, h('code', account), copyButton(account, 'Copy the account number'))],
    record?.kind === 'member' && ['Balance', money(record.balance)],
    record?.kind === 'member' && record.locks.length > 0 && ['Locked', record.locks.map((lock) => [money(lock.amount), ` as a ${lock.purpose} `])],
    record?.kind === 'member' && ['Role', record.role],
    record?.kind === 'treasury' && ['Balance', money(record.balance)],
    record === null && ['Standing', 'no member: the ledger holds nothing of it'],
  ]);
}

const fullReceipt = (account, sequence, label) => receiptButton(label, `${shortId(account)}-${sequence ?? 'now'}`,
  () => receiptFile(account, sequence), `leither receipt export ${account} ${sequence === null ? '--form full' : `--at ${sequence}`}`);

const endorsedReceipt = (account) => receiptButton('Receipt for strangers', `${shortId(account)}-endorsed`,
  async () => (await call('wallet.endorse', {account})).file, `leither receipt export ${account}`);

// Saves the file that `make` gives, or says why not and which command does the same.
function receiptButton(label, name, make, commandText) {
  const outcome = h('span', {'aria-live': 'polite'});
  const button = h('button', {type: 'button', class: 'quiet small', onclick: async () => {
    button.disabled = true;
    try {
      saveFile([JSON.stringify(await make(), null, 2) + '\n'], 'application/json', `receipt-${name.replace('\u2026', '-')}.json`);
      note('The receipt is saved. Anybody can check it without a daemon: leither receipt verify FILE');
    } catch (error) {
      replace(outcome, problem(error), command(`${commandText} --out receipt.json`, 'Or by the command line:'));
    }
    button.disabled = false;
  }}, label);
  return [button, outcome];
}

// The file that `leither receipt verify` checks: the proof, and what it proves in plain words.
export async function receiptFile(account, sequence) {
  const info = await state.organization();
  const proof = await call('receipt.get', {account, ...(sequence === null ? {} : {sequence})});
  const at = proof.sequence;
  const [{record}, block] = await Promise.all([call('account.get', {account, sequence: at}), call('block.get', {sequence: at, detail: 'none'})]);
  const inUnit = (units) => `${amountText(units, info.decimals).replaceAll('\u202f', '')} ${info.unit}`;
  const held = record === null ? {holds: 'nothing'}
    : record.kind === 'member' ? {holds: 'member', key: record.key, role: record.role, balance: inUnit(record.balance),
      locked: inUnit((BigInt(record.sum) - BigInt(record.balance)).toString())}
      : record.kind === 'treasury' ? {holds: 'treasury', balance: inUnit(record.balance)}
        : {holds: record.kind === 'vote' ? 'vote' : 'bookkeeping'};
  return {leither_receipt: 1, kind: 'account', organization: info.id, name: info.name, sequence: at, time: utcText(block.time_ms),
    trusted: block.trusted, account, ...held, data: proof.receipt};
}
