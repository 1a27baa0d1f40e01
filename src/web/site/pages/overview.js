// What a member wants to know first: what do I have, is all well.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {countOf, countText, sumOf} from '../format.js';
import {badge, card, command, empty, facts, live, money, note, textField, form, when, who} from '../parts.js';
import {kindText} from './history.js';
import * as state from '../state.js';

export const title = 'Overview';

async function load(pulse) {
  const organization = await state.organization();
  const status = await call('node.status');
  pulse.textContent = countText(status.pulse);
  if (!organization) return {organization, status: worth(status)};
  const wallet = await state.wallet();
  const accounts = await state.accounts();
  const best = state.chosen(accounts);
  const history = best ? (await call('account.history', {account: best.account, limit: 6})).items : [];
  return {organization, status: worth(status), wallet, accounts, best, history};
}

// What changes each second would draw the page anew each second.
function worth(status) {
  const {uptime_s, pulse, ...rest} = status;
  if (rest.organization) {
    const {tree, ...organization} = rest.organization;
    rest.organization = organization;
  }
  return rest;
}

export function show(page) {
  const pulse = h('span', {class: 'pulse-number'}, '\u2026');
  page.listen({topic: 'pulse'}, (data) => { pulse.textContent = countText(data.pulse); });
  page.show(live(page, {load: () => load(pulse), draw: (data) => draw(data, pulse), topics: [{topic: 'block'}, {topic: 'final'}]}));
}

function draw(data, pulse) {
  if (!data.organization) return noOrganization(data.status);
  return [
    balances(data),
    h('div', {class: 'columns'},
      card('Health', health(data.status), h('p', {class: 'hint'}, h('a', {href: '#/node'}, 'More about this node'))),
      card('Organization', organization(data, pulse))),
    data.best && card(`Latest, ${data.best.name}`, recent(data)),
  ];
}

function noOrganization(status) {
  const followed = status.network?.organization;
  if (followed) {
    return empty('The ledger is not here yet.', 'This node takes part in an organization and is fetching its ledger from other members\u2019 nodes. Guests are given none before they are admitted.',
      h('p', h('a', {href: '#/begin'}, 'See how your application stands')), health(status));
  }
  return empty('This node belongs to no organization yet.',
    'Somebody who belongs to one can send you an invitation. Or found one of your own.',
    h('p', {class: 'actions'}, h('a', {class: 'button', href: '#/begin'}, 'Begin')));
}

function balances({accounts, wallet}) {
  const own = accounts.filter((one) => one.balance !== null);
  if (accounts.length === 0) return card('Your accounts', noAccount(wallet));
  const total = sumOf(own.map((one) => one.balance));
  return h('section', {class: 'card hero', 'aria-labelledby': 'balance'},
    h('h2', {id: 'balance'}, own.length === 1 ? 'Balance' : 'Balance of your accounts'),
    h('p', {class: 'balance'}, money(total)),
    h('ul', {class: 'accounts'}, accounts.map((one) => h('li',
      who(one.account),
      h('span', {class: 'standing'}, standing(one)),
      one.balance === null ? h('span', {class: 'money'}, '\u2013') : money(one.balance)))),
    h('p', {class: 'actions'}, h('a', {class: 'button', href: '#/pay'}, 'Pay'), h('a', {class: 'button quiet', href: '#/request'}, 'Request')));
}

function standing(account) {
  if (account.role === 'supervisor') return badge('supervisor');
  return account.member ? badge('member', 'plain') : badge('not a member', 'warn');
}

function noAccount(wallet) {
  if (wallet.usable) {
    return form('Make a key', textField('Your name in this wallet', 'name', {required: true, maxlength: 64}), async ({name}) => {
      await call('wallet.create', {name: name.trim()});
      note('The key is made.');
      location.reload();
    });
  }
  return [
    h('p', 'This daemon knows none of your accounts.'),
    command('leither key new NAME', 'Make a key with the command line:'),
    form('Watch this account', textField('Or the 40 digits of an account to watch here', 'account', {required: true, maxlength: 40}), async ({account}) => {
      const id = account.trim().toLowerCase();
      if (!/^[0-9a-f]{40}$/.test(id)) throw Object.assign(new Error('An account has 40 digits and letters from a to f.'), {name: 'not_an_account'});
      state.watch(id);
      location.reload();
    }),
  ];
}

function recent({history, best}) {
  if (history.length === 0) return h('p', {class: 'hint'}, 'Nothing has happened yet.');
  return [
    h('ul', {class: 'recent'}, history.map((item) => h('li',
      item.counterparty ? who(item.counterparty) : h('span', {class: 'who'}, kindText(item)),
      h('span', {class: 'reference'}, item.reference || (item.counterparty ? kindText(item) : '')),
      when(item.time_ms),
      item.amount ? money(item.amount, item.direction) : h('span', {class: 'money'})))),
    h('p', {class: 'hint'}, h('a', {href: `#/history/${best.account}`}, 'The whole history')),
  ];
}

function organization({organization: info, status}, pulse) {
  const ledger = status.organization;
  return facts([
    ['Members', countText(ledger.members)],
    ['Credit there is', money(info.supply)],
    ['In the treasury', money(info.treasury.balance)],
    ['Pulse', pulse],
    ['Last block', countText(ledger.sequence)],
  ]);
}

// ---- Health, in words ------------------------------------------------------------------------------------

export function health(status) {
  const lines = verdicts(status);
  return h('ul', {class: 'health'}, lines.map(([kind, text]) => h('li', {class: kind},
    h('span', {class: 'lamp', 'aria-hidden': 'true'}), h('span', {class: 'visually-hidden'}, {good: 'Good: ', warn: 'Look: ', bad: 'Alarm: '}[kind]), text)));
}

function verdicts(status) {
  return [...ledgerVerdicts(status), ...finalityVerdicts(status.organization), ...networkVerdicts(status.network)];
}

const TROUBLES = {
  anchor_too_old: 'It refuses the ledger it is offered: what it trusts is too old. Pin a newer checkpoint of a member you trust (history.checkpoint).',
  pin_not_found: 'No neighbour\u2019s ledger contains the pinned checkpoint. Compare history.checkpoint with a member you trust.',
  pin_broken: 'The ledger contradicts the pinned checkpoint. Compare history.checkpoint with a member you trust.',
};

function ledgerVerdicts({catching_up: progress, organization: ledger}) {
  const lines = [];
  if (ledger?.evidence.forks.length > 0) {
    lines.push(['bad', `Two blocks were decided at height ${ledger.evidence.forks.at(-1)}. Rely on no payment, and ask the other bookkeepers.`]);
  } else if (ledger?.evidence.conflicts > 0) {
    lines.push(['warn', `${countOf(ledger.evidence.conflicts, 'conflict')} of bookkeepers on record: leither evidence list`]);
  }
  if (!progress) return [...lines, ['good', ledger ? 'The ledger is kept on this machine alone.' : 'It runs, and keeps no ledger.']];
  if (progress.trouble !== 'none') lines.push(['bad', TROUBLES[progress.trouble] ?? progress.trouble]);
  else if (progress.stage === 'halted') lines.push(['bad', 'It has halted: it refuses what the bookkeepers decided. Look at its log.']);
  else if (progress.stage === 'state') lines.push(['warn', `It is taking the ledger from its neighbours: ${Math.round(progress.state_permille / 10)} of 100.`]);
  else if (progress.stage !== 'idle' || progress.behind > 0) lines.push(['warn', `It is catching up: ${countOf(progress.behind, 'block')} behind.`]);
  else lines.push(['good', 'The ledger is in step with its neighbours.']);
  return lines;
}

function finalityVerdicts(ledger) {
  if (!ledger) return [];
  const {final, certified, countersigned, online, needed, dissenting} = ledger.finality;
  if (dissenting > 0) return [['bad', `${countOf(dissenting, 'node')} countersigned another block than this. Hand out nothing for new payments.`]];
  if (certified) return [['good', 'Payments are secured as soon as they are in a block.']];
  if (final) return [['good', `All payments are secured: ${countersigned} of ${online} nodes online have checked them.`]];
  if (ledger.sequence === 0) return [];
  if (online === 0) return [['warn', `Payments are not secured yet: ${countOf(needed, 'other node')} must check them, and none is online.`]];
  return [['warn', `The newest payments are not secured yet: ${countersigned} of ${needed} nodes have checked them.`]];
}

function networkVerdicts(network) {
  if (!network) return [['warn', 'It takes no part in the network (network.enabled is false).']];
  const lines = [];
  if (network.connections > 0) lines.push(['good', `${countOf(network.connections, 'connection')} to other nodes.`]);
  else lines.push(['warn', 'No connection to another node right now.']);
  if (network.reachability.startsWith('not')) lines.push(['warn', `Others cannot dial it: ${network.reachability}`]);
  return lines;
}
