// What members do for the organization, as they record it: the five kinds, with evidence, and what was
// rewarded of it.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {countOf, shortId} from '../format.js';
import {given, keyField, needsOthers, offerTo, outcomeOf, supervisorsOf, textOf, unitsOf, wrong} from '../acts.js';
import {amountField, badge, card, choiceField, empty, field, form, live, money, note, textField, when, who, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Contributions';

const KINDS = [['development', 'development: plans, programs, inventions'], ['production', 'production: things made'], ['support', 'support: help given'],
  ['promotion', 'promotion: others told of it'], ['appreciation', 'appreciation: what has made it worth more']];
const LIMIT = 100;

export function show(page) {
  const list = live(page, {load, draw: (data) => draw(page, data, () => list.refresh()), topics: [{topic: 'block'}]});
  page.show(list, live(page, {every: 0, load: loadRecording, draw: (data) => drawRecording(data, () => list.refresh())}));
}

async function load() {
  const organization = await state.organization();
  if (!organization && !await state.followed()) throw wrong('no_organization', 'So there are no contributions.');
  return {organization, wallet: await state.wallet(), ...await call('contribution.list', {limit: LIMIT})};
}

function draw(page, {items, wallet, organization, pruned}, refresh) {
  return card('What members have done', items.length === 0
    ? empty('Nobody has recorded a contribution yet.', 'Whoever has done something for the organization says so here, with evidence: it is what rewards are recommended for.')
    : h('ul', {class: 'items'}, items.map((item) => entry(page, item, items, {wallet, organization}, refresh))),
  pruned && h('p', {class: 'hint'}, 'Rewards of long ago are not shown here.'));
}

function entry(page, item, items, base, refresh) {
  return h('li',
    h('div', {class: 'line'}, who(item.author), badge(item.kind, 'plain'), when(item.issued_ms)),
    h('p', {class: 'letter'}, item.text),
    item.evidence && h('p', {class: 'hint'}, `Evidence: ${item.evidence}`),
    item.builds_on.length > 0 && h('p', {class: 'hint'}, 'Builds on: ', item.builds_on.map((id) => items.find((one) => one.id === id)?.text ?? shortId(id)).join('; ')),
    item.rewards.length > 0 && h('p', {class: 'line'}, badge(countOf(item.rewards.length, 'reward')), item.rewards.map((one) => one.amount && money(one.amount))),
    base.organization && item.rewards.length === 0 && supervisorsOf(base.wallet).length > 0 && h('details', h('summary', 'Reward it'), rewarding(page, item, base, refresh)));
}

function rewarding(page, {id, author, text}, {wallet, organization}, refresh) {
  return [needsOthers(organization), form('Reward it', [amountField('Amount', 'From the treasury. What was done, and its evidence, become reason and proof.'), keyField('Recommended by', supervisorsOf(wallet))],
    async (values, element) => {
      const answer = await call('wallet.reward', {member: author, amount: unitsOf(values), contribution: id, account: values.account, ...offerTo(organization)});
      element.reset();
      return outcomeOf(page, answer, values.account, {done: 'Announced. It is paid once everybody has had time to object.', refused: 'Nobody was rewarded.', onCommitted: () => setTimeout(refresh, 1500)});
    }, {'aria-label': `Reward: ${text}`})];
}

async function loadRecording() {
  if (!await state.organization() && !await state.followed()) return null;
  return {wallet: await state.wallet()};
}

function drawRecording(data, refresh) {
  if (!data) return null;
  const {wallet} = data;
  if (!wallet.usable) return card('Record one', withoutWallet(wallet, 'leither contribution add KIND TEXT --from KEY'));
  const members = wallet.accounts.filter((one) => one.member);
  if (members.length === 0) return card('Record one', h('p', {class: 'hint'}, 'Members record what they do. None of the accounts in this wallet is a member yet.'));
  return card('Record one', form('Record it', [
    choiceField('Kind', 'kind', KINDS),
    field('What was done?', (at) => h('textarea', {rows: 3, maxlength: 280, required: true, ...at, name: 'text'}), 'Public to the organization.'),
    textField('Evidence', 'evidence', {maxlength: 280}, 'Where it is to be seen: a photograph, a document, who was there. May stay empty.'),
    keyField('By', members),
  ], async (values, element) => {
    await call('wallet.contribute', {account: values.account, kind: values.kind, text: textOf(values, 'text', 'Say what was done.'), ...given(values, 'evidence')});
    state.choose(values.account);
    element.reset();
    note('Recorded.');
    refresh();
    return h('p', 'Recorded, for everybody to see.');
  }));
}
