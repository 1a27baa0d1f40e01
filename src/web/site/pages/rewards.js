// The public register: what was rewarded, why, on which evidence, and who said so.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {given, keyField, memberField, membersToChoose, needsOthers, offerTo, outcomeOf, supervisorsOf, textOf, unitsOf, wrong} from '../acts.js';
import {amountField, card, empty, form, live, money, table, textField, when, who, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Rewards';

const REWARDS = ['reward', 'earn'];
const PAGES_MAX = 4;
const PAGE = 500;

async function load() {
  const organization = await state.organization();
  if (!organization) throw wrong('no_organization', 'So there are no rewards.');
  const [list, closed, ofTreasury] = await Promise.all([call('reward.list'), call('vote.list', {state: 'closed', limit: 100}), treasuryHistory(organization.id)]);
  return {...list, votes: Object.fromEntries(closed.items.map((vote) => [vote.vote, {proposer: vote.proposer, kind: vote.subject.kind, proof: vote.subject.proof}])), ...ofTreasury};
}

// The treasury's account is public: each reward stands in its history.
async function treasuryHistory(account) {
  const rewards = [];
  let before;
  let pruned = false;
  for (let page = 0; page < PAGES_MAX; page++) {
    const part = await call('account.history', {account, limit: PAGE, ...(before === undefined ? {} : {before})});
    rewards.push(...part.items.filter((item) => REWARDS.includes(item.kind)));
    pruned = part.pruned;
    before = part.next;
    if (before === undefined) break;
  }
  return {rewards, pruned, more: before !== undefined};
}

export function show(page) {
  const register = live(page, {load, draw, topics: [{topic: 'block'}]});
  page.show(register, live(page, {every: 0, load: loadGiving, draw: (data) => drawGiving(page, data, () => register.refresh())}));
}

// ---- Giving one --------------------------------------------------------------------------------------------

async function loadGiving() {
  const organization = await state.organization();
  if (!organization) return null;
  const wallet = await state.wallet();
  if (!wallet.usable || supervisorsOf(wallet).length === 0) return {wallet};
  return {wallet, organization, members: await membersToChoose()};
}

function drawGiving(page, data, refresh) {
  if (!data) return null;
  const {wallet, organization, members} = data;
  if (!wallet.usable) return card('Give a reward', withoutWallet(wallet, 'leither reward MEMBER AMOUNT --reason TEXT'));
  if (!members) return card('Give a reward', h('p', {class: 'hint'}, 'Supervisors recommend rewards. Tell one whom you would reward, and for what.'));
  return card('Give a reward',
    h('p', {class: 'hint'}, 'For a service done. It comes from the treasury; reason and proof are public for good. What was built, or keeps the organization going, the members ', h('a', {href: '#/votes'}, 'vote on'), '.'),
    needsOthers(organization),
    form('Give the reward', [
      memberField('Member', 'member', members), amountField(),
      textField('Reason', 'reason', {required: true, maxlength: 280}, 'What it is for. Everybody can read it.'),
      textField('Proof', 'proof', {maxlength: 280}, 'Where the evidence is: a photograph, a document, who has seen it. May stay empty.'),
      keyField('Recommended by', supervisorsOf(wallet)),
    ], async (values, element) => {
      const reason = textOf(values, 'reason', 'Say what it is for: a reward without a reason convinces nobody.');
      const answer = await call('wallet.reward', {member: values.member.trim().toLowerCase(), amount: unitsOf(values), kind: 'service', reason,
        ...given(values, 'proof'), account: values.account, ...offerTo(organization)});
      element.reset();
      return outcomeOf(page, answer, values.account, {done: 'Announced. It is paid once everybody has had time to object.', refused: 'Nobody was rewarded.', onCommitted: refresh});
    }));
}

// ---- The register ------------------------------------------------------------------------------------------

function draw(data) {
  return [
    data.pending.length > 0 && card('Announced', h('p', {class: 'hint'}, 'Rewards are public for a while before they are paid, so that everybody can object.'), pending(data)),
    card('Register', register(data)),
    card('For keeping the books', mining(data)),
  ];
}

function pending({pending: items, rewards}) {
  const reasons = new Map(rewards.map((item) => [item.id, item]));
  return table('Announced rewards', [
    {title: 'To', cell: (item) => who(item.member)},
    {title: 'Why', cell: (item) => reasons.get(item.transaction)?.reference ?? ''},
    {title: 'Paid', cell: (item) => when(item.due_ms)},
    {title: 'Amount', right: true, cell: (item) => money(item.amount)},
  ], items);
}

function register({rewards, votes, pruned, more}) {
  if (rewards.length === 0) return empty('Nothing has been rewarded yet.', 'Supervisors recommend rewards for useful work; larger ones the members vote on.');
  return [
    table('Rewards, newest first', [
      {title: 'When', cell: (item) => when(item.time_ms)},
      {title: 'To', cell: (item) => item.counterparty ? who(item.counterparty) : '\u2013'},
      {title: 'Why', cell: (item) => [item.reference ?? '', proofOf(item, votes)]},
      {title: 'Recommended by', cell: (item) => item.vote ? h('span', {class: 'line'}, who(votes[item.vote]?.proposer ?? item.signer), 'and the members\u2019 vote') : who(item.signer)},
      {title: 'Amount', right: true, cell: (item) => item.amount ? money(item.amount) : ''},
    ], rewards),
    (pruned || more) && h('p', {class: 'hint'}, 'Older ones are not listed here: leither history shows as far as this node remembers.'),
  ];
}

function proofOf(item, votes) {
  const proof = item.proof ?? (item.vote && votes[item.vote]?.proof);
  return proof ? h('span', {class: 'hint'}, ` Proof: ${proof}`) : null;
}

function mining({mining: terms}) {
  const lines = terms.flatMap((term) => (term.lines ?? []).map((line) => ({...line, cycle: term.cycle})));
  if (lines.length === 0) return empty('No term has ended with work to reward.', 'Bookkeepers are rewarded after each cycle for the blocks they signed.');
  return table('Mining rewards of the last cycles', [
    {title: 'Cycle', cell: (line) => String(line.cycle)},
    {title: 'Bookkeeper', cell: (line) => who(line.account)},
    {title: 'Claimed', cell: (line) => line.claimed ? 'yes' : 'not yet'},
    {title: 'Amount', right: true, cell: (line) => money(line.amount)},
  ], lines);
}
