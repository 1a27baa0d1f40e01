// The public register: what was rewarded, why, on which evidence, and who said so.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {card, empty, live, money, table, when, who} from '../parts.js';
import * as state from '../state.js';

export const title = 'Rewards';

const REWARDS = ['reward', 'earn'];
const PAGES_MAX = 4;
const PAGE = 500;

async function load() {
  const organization = await state.organization();
  if (!organization) throw Object.assign(new Error('So there are no rewards.'), {name: 'no_organization'});
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
  page.show(live(page, {load, draw, topics: [{topic: 'block'}]}));
}

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
