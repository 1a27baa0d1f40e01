// What the members decide together.
import {h, replace} from '../dom.js';
import {call} from '../rpc.js';
import {agoText, countOf, countText} from '../format.js';
import {follow, given, keyField, memberField, membersToChoose, supervisorsOf, textOf, unitsOf, wrong} from '../acts.js';
import {amountField, badge, card, choiceField, empty, field, form, live, money, note, textField, when, who, withoutWallet} from '../parts.js';
import {ballotBar} from '../charts.js';
import * as state from '../state.js';

export const title = 'Votes';

async function load() {
  const organization = await state.organization();
  if (!organization) throw Object.assign(new Error('So there are no votes.'), {name: 'no_organization'});
  const wallet = await state.wallet();
  const accounts = await state.accounts();
  const account = state.chosen(accounts.filter((one) => one.member))?.account;
  const list = await call('vote.list', {state: 'all', limit: 50, ...(account ? {account} : {})});
  return {wallet, account, items: list.items};
}

export function show(page) {
  const box = live(page, {load, draw: (data) => draw(data, () => box.refresh()), topics: [{topic: 'block'}]});
  page.show(box, live(page, {every: 0, load: loadProposing, draw: (data) => drawProposing(page, data, () => box.refresh())}));
}

const isOpen = (vote) => ['open', 'counting', 'waiting'].includes(vote.state);

function draw(data, refresh) {
  const open = data.items.filter(isOpen);
  const closed = data.items.filter((vote) => !isOpen(vote));
  return [
    card('Open', open.length === 0
      ? empty('No vote is open.', 'A supervisor opens one, on a parameter of the organization or on a reward.')
      : h('ul', {class: 'items'}, open.map((vote) => entry(vote, data, refresh)))),
    closed.length > 0 && card('Decided', h('ul', {class: 'items'}, closed.map((vote) => entry(vote, data, refresh)))),
  ];
}

const STATES = {open: ['open', ''], counting: ['being counted', ''], waiting: ['passed, waits to be paid', 'warn'], passed: ['passed', ''], rejected: ['rejected', 'bad'], unpaid: ['not paid', 'bad']};

export function subject({subject: what}) {
  if (what.kind !== 'parameter') return [`${what.kind === 'structural' ? 'Structural' : 'Operation'} reward of `, money(what.amount), ' to ', who(what.member)];
  return [h('code', what.parameter), ' becomes ', h('strong', `${countText(what.value)} ${what.unit ?? ''}`.trim()), ` (now ${countText(what.now)})`];
}

function entry(vote, data, refresh) {
  const [word, kind] = STATES[vote.state] ?? [vote.state, 'plain'];
  return h('li', {class: 'vote'},
    h('div', {class: 'line'}, h('h3', subject(vote)), badge(word, kind)),
    vote.subject.reason && h('p', vote.subject.reason),
    vote.subject.proof && h('p', {class: 'hint'}, 'Proof: ', vote.subject.proof),
    tally(vote),
    h('p', {class: 'hint line'},
      h('span', {class: 'line'}, 'Proposed by ', who(vote.proposer)),
      h('span', isOpen(vote) ? 'Closes ' : 'Closed ', when(vote.closes_ms)),
      vote.effect && h('span', `Effect: ${effect(vote.effect)}`),
      vote.own && h('span', `You ${standing(vote.own)}`)),
    vote.state === 'open' && ballot(vote, data, refresh));
}

function tally(vote) {
  const words = `${vote.yes} yes, ${vote.no} no, of ${countOf(vote.members, 'member')}`;
  return h('div', {class: 'tally'},
    h('p', words, '. ', needs(vote)),
    ballotBar(vote.yes, vote.no, vote.members, vote.quorum.needed, `${words}; ${vote.quorum.needed} yes are needed`));
}

function needs(vote) {
  const lacking = vote.lacks.map((what) => what === 'quorum'
    ? `${countOf(vote.quorum.needed, 'member')} must say yes (a third)` : `${vote.majority.needed} of ${vote.yes + vote.no} ballots must say yes (two thirds)`);
  if (!isOpen(vote)) return lacking.length === 0 ? '' : `It lacked: ${lacking.join('; ')}.`;
  return lacking.length === 0 ? 'As it stands, it would pass.' : `As it stands, it would not pass: ${lacking.join('; ')}.`;
}

function effect(what) {
  if (what.from_cycle !== undefined) return `in force from cycle ${what.from_cycle}`;
  if (what.in_force !== undefined) return what.in_force ? 'in force' : 'changed again by a later vote';
  return what.pending ? `to be paid ${agoText(what.due_ms)}` : 'paid';
}

const STANDINGS = {may_cast: 'have not voted yet', has_cast: 'have voted', not_open: 'did not vote', not_member: 'are no member', joined_after: 'joined after it was opened'};
const standing = (own) => own.choice ? `voted ${own.choice}` : STANDINGS[own.standing] ?? own.standing;

function ballot(vote, {wallet, account}, refresh) {
  if (vote.own && vote.own.standing !== 'may_cast') return null;
  const id = vote.vote;
  if (!wallet.usable) return withoutWallet(wallet, `leither vote cast ${id} yes --from KEY`);
  if (!account) return h('p', {class: 'hint'}, 'Members vote. None of your accounts is a member.');
  const cast = (choice) => form(choice === 'yes' ? 'Yes' : 'No', [], async () => {
    await call('wallet.cast', {account, vote: id, choice});
    note(`Your ballot (${choice}) is on its way into the ledger.`);
    setTimeout(refresh, 1500);
    return h('p', `Cast: ${choice}.`);
  }, {class: `ballot ${choice}`, 'aria-label': `Vote ${choice}`});
  return h('div', {class: 'ballots'}, h('p', {class: 'hint'}, `As ${state.nameOf(account)}. A ballot is cast once.`), h('div', {class: 'line'}, cast('yes'), cast('no')));
}

// ---- Proposing -----------------------------------------------------------------------------------------------

async function loadProposing() {
  if (!await state.organization()) return null;
  const wallet = await state.wallet();
  if (!wallet.usable || supervisorsOf(wallet).length === 0) return {wallet};
  const [parameters, members] = await Promise.all([call('vote.parameters'), membersToChoose()]);
  return {wallet, parameters, members};
}

function drawProposing(page, data, refresh) {
  if (!data) return null;
  const {wallet, parameters} = data;
  if (!wallet.usable) return card('Propose', withoutWallet(wallet, 'leither vote propose structural MEMBER AMOUNT --reason TEXT'));
  if (!parameters) return card('Propose', h('p', {class: 'hint'}, 'Supervisors open votes. None of your accounts is a supervisor\u2019s: ask one to propose what you wish for.'));
  return card('Propose', h('p', {class: 'hint'}, 'Every member may then vote, once. It passes if two thirds of the ballots and a third of the members say yes.'),
    h('details', h('summary', 'Change a parameter'), changing(page, data, refresh)),
    h('details', h('summary', 'Reward a member by vote'), rewarding(page, data, refresh)));
}

const unitOf = (row) => row.unit === '' ? '' : ` ${row.unit}`;
const reasonField = () => textField('Reason', 'reason', {required: true, maxlength: 280}, 'The members read it when they vote.');

function changing(page, {wallet, parameters}, refresh) {
  const bounds = h('p', {class: 'hint', id: 'parameter-bounds', role: 'status'});
  const tell = (name) => {
    const row = parameters.find((one) => one.parameter === name);
    replace(bounds, `Now ${countText(row.now)}${unitOf(row)}. It may be from ${countText(row.least)} to ${countText(row.most)}${unitOf(row)}.`);
  };
  tell(parameters[0].parameter);
  return form('Propose the change', [
    field('Parameter', (at) => h('select', {...at, name: 'parameter', 'aria-describedby': 'parameter-bounds', onchange: (event) => tell(event.target.value)},
      parameters.map((row) => h('option', {value: row.parameter}, row.parameter.replaceAll('_', ' '))))),
    bounds,
    textField('New value', 'value', {inputmode: 'numeric', required: true, 'aria-describedby': 'parameter-bounds'}),
    reasonField(), keyField('Proposed by', supervisorsOf(wallet)),
  ], async (values, element) => {
    const row = parameters.find((one) => one.parameter === values.parameter);
    const value = values.value.replaceAll(/[\s\u202f]/g, '');
    const isWithin = /^\d{1,10}$/.test(value) && Number(value) >= row.least && Number(value) <= row.most;
    if (!isWithin) throw wrong('not_within_bounds', `Write a whole number from ${countText(row.least)} to ${countText(row.most)}.`, 'value');
    if (Number(value) === row.now) throw wrong('no_change', 'That is the value it has now.', 'value');
    return proposed(page, element, values, {kind: 'parameter', parameter: row.parameter, value: Number(value), reason: reasonOf(values)}, refresh);
  });
}

const reasonOf = (values) => textOf(values, 'reason', 'Say what for: the members read it when they vote.');

function rewarding(page, {wallet, members}, refresh) {
  return form('Propose the reward', [
    choiceField('For', 'kind', [['structural', 'something built for the organization'], ['operation', 'keeping it going']]),
    memberField('Member', 'member', members), amountField(), reasonField(),
    textField('Proof', 'proof', {maxlength: 280}, 'Where the evidence is: a photograph, a document, who has seen it. May stay empty.'),
    keyField('Proposed by', supervisorsOf(wallet)),
  ], (values, element) => proposed(page, element, values,
    {kind: values.kind, member: values.member.trim().toLowerCase(), amount: unitsOf(values), reason: reasonOf(values), ...given(values, 'proof')}, refresh));
}

async function proposed(page, element, {account}, params, refresh) {
  const {id} = await call('wallet.propose', {...params, account});
  element.reset();
  return follow(page, id, account, {done: 'The vote is open.', refused: 'No vote was opened.', onCommitted: refresh});
}
