// Who belongs to the organization, who wants to, and what supervisors decide of them.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {keyField, memberField, membersToChoose, needsOthers, offerTo, outcomeOf, shownText, supervisorsOf, textOf, wrong} from '../acts.js';
import {countOf, dateText} from '../format.js';
import {badge, card, choiceField, copyButton, empty, form, live, money, note, table, textField, when, who, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Members';

const PAGE = 200;

const noOrganization = () => wrong('no_organization', 'So there are no members.');

export function show(page) {
  const pages = {limit: PAGE};
  const waiting = live(page, {load: loadWaiting, draw: (data) => drawWaiting(page, data, () => waiting.refresh()), topics: [{topic: 'block'}]});
  const list = live(page, {load: () => loadMembers(pages), draw: (data) => drawMembers(data, pages, () => list.refresh()), topics: [{topic: 'block'}]});
  page.show(waiting, list, live(page, {every: 0, load: loadActs, draw: (data) => drawActs(page, data)}));
}

// ---- Who asks, and what is to be signed -----------------------------------------------------------------

async function loadWaiting() {
  const organization = await state.organization();
  if (!organization) return null;
  const wallet = await state.wallet();
  if (!wallet.usable) return {organization, wallet};
  const [applications, offers] = await Promise.all([listOf('wallet.applications'), listOf('wallet.offers')]);
  return {organization, wallet, applications: applications.filter((one) => one.state === 'waiting'), offers};
}

// Letters come to accounts that a node of the network serves; without one there are none.
async function listOf(method) {
  try {
    return await call(method);
  } catch (error) {
    if (['no_network', 'no_manifest', 'no_organization'].includes(error.name)) return [];
    throw error;
  }
}

function drawWaiting(page, data, refresh) {
  if (!data) return null;
  const {wallet, offers = []} = data;
  const items = wallet.usable ? applicationsOf(page, data, refresh) : withoutWallet(wallet, 'leither org applications');
  return [
    card('Applications', items, h('p', h('a', {href: '#/invite'}, 'Invite somebody'))),
    offers.length > 0 && card('To sign', h('p', {class: 'hint'}, 'Other supervisors have begun these and ask for your signature.'),
      h('ul', {class: 'items'}, offers.map((offer) => drawOffer(page, offer, wallet, refresh)))),
  ];
}

function applicationsOf(page, {organization, wallet, applications}, refresh) {
  if (applications.length === 0) return empty('Nobody waits to be admitted.', 'Applications that are sent to an account of this wallet come here.');
  const supervisors = supervisorsOf(wallet);
  return [
    supervisors.length > 0 && needsOthers(organization),
    h('ul', {class: 'items'}, applications.map((one) => h('li',
      h('div', {class: 'line'}, who(one.applicant), when(one.sent_ms), one.carrier !== one.applicant && h('span', {class: 'line'}, 'passed on by ', who(one.carrier))),
      one.note && h('p', {class: 'letter'}, one.note),
      supervisors.length > 0 ? deciding(page, one, organization, supervisors, refresh) : passingOn(one, wallet, refresh),
      h('details', h('summary', 'The application as text'), shownText('Text of the application', one.application))))),
  ];
}

function deciding(page, {applicant}, organization, supervisors, refresh) {
  const signer = supervisors.length > 1 ? keyField('Signed by', supervisors) : h('input', {type: 'hidden', name: 'account', value: supervisors[0].account});
  return [
    form('Admit', [signer], async ({account}) => {
      const answer = await call('wallet.approve', {applicant, account, ...offerTo(organization)});
      return outcomeOf(page, answer, account, {done: 'Admitted.', refused: 'Nobody was admitted.', onCommitted: () => setTimeout(refresh, 1500)});
    }, {'aria-label': `Admit ${state.nameOf(applicant)}`}),
    h('details', h('summary', 'Refuse'), form('Refuse', [
      textField('Reason', 'reason', {required: true, maxlength: 140}, 'The applicant reads it.'),
      h('input', {type: 'hidden', name: 'account', value: supervisors[0].account}),
    ], async (values) => {
      await call('wallet.refuse', {applicant, account: values.account, reason: textOf(values, 'reason', 'Say why, so that they know what to do.')});
      note('Refused. The reason is on its way to them.');
      refresh();
      return h('p', 'Refused.');
    }, {class: 'second', 'aria-label': `Refuse ${state.nameOf(applicant)}`})),
  ];
}

function passingOn({applicant, account}, wallet, refresh) {
  if (!wallet.accounts.some((one) => one.member && one.account === account)) return h('p', {class: 'hint'}, 'Members pass applications on, and this account is none yet.');
  return [
    h('p', {class: 'hint'}, 'Supervisors decide. You may speak for the applicant: then the application goes on to them in your name.'),
    form('Pass it on', [], async () => {
      await call('wallet.sponsor', {applicant});
      note('Passed on.');
      refresh();
      return h('p', 'It is on its way to the supervisors.');
    }, {'aria-label': `Pass on ${state.nameOf(applicant)}`}),
  ];
}

function drawOffer(page, offer, wallet, refresh) {
  const mine = wallet.accounts.filter((one) => offer.missing.includes(one.account));
  return h('li',
    h('div', {class: 'line'}, h('h3', sentence(offer.what)), h('span', {class: 'line'}, 'begun by ', who(offer.signer))),
    h('p', {class: 'hint'}, `${countOf(offer.missing.length, 'signature')} still missing, good until ${dateText(offer.until_ms)}`),
    mine.length === 0 ? h('p', {class: 'hint'}, 'None of your accounts is asked.')
      : form('Sign', [mine.length > 1 ? keyField('As', mine) : h('input', {type: 'hidden', name: 'account', value: mine[0].account})], async ({account}) => {
        const answer = await call('wallet.cosign', {id: offer.id, account});
        return outcomeOf(page, answer, offer.signer, {onCommitted: () => setTimeout(refresh, 1500)});
      }, {'aria-label': `Sign: ${offer.what}`}));
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// ---- The members -----------------------------------------------------------------------------------------

async function loadMembers(pages) {
  const organization = await state.organization();
  if (!organization) throw noOrganization();
  await state.wallet();  // names
  const items = [];
  let from;
  do {
    const part = await call('member.list', {limit: Math.min(1000, pages.limit - items.length), ...(from ? {from} : {})});
    items.push(...part.items);
    from = part.next;
  } while (from && items.length < pages.limit);
  const status = await call('node.status');
  return {items, more: Boolean(from), count: status.organization.members};
}

function drawMembers(data, pages, refresh) {
  return card(countOf(data.count, 'member'), table('Members', [
    {title: 'Member', cell: (item) => who(item.account)},
    {title: 'Role', cell: (item) => badge(item.role, item.role === 'supervisor' ? '' : 'plain')},
    {title: 'Balance', right: true, cell: (item) => money(item.balance)},
    {title: 'Locked', right: true, cell: (item) => item.locked === '0' ? '\u2013' : money(item.locked)},
    {title: 'Number', right: true, cell: (item) => copyButton(item.account, `Copy the number of ${state.nameOf(item.account)}`)},
  ], data.items),
  data.more && h('p', h('button', {type: 'button', class: 'quiet', onclick: () => { pages.limit += PAGE; refresh(); }}, 'Show more')));
}

// ---- Roles, leaving ----------------------------------------------------------------------------------------

async function loadActs() {
  const organization = await state.organization();
  if (!organization) return null;
  return {organization, wallet: await state.wallet(), members: await membersToChoose()};
}

function drawActs(page, data) {
  if (!data) return null;
  const {wallet} = data;
  if (!wallet.usable) return null;
  const own = wallet.accounts.filter((one) => one.member);
  return [
    supervisorsOf(wallet).length > 0 && card('Change a role', roles(page, data)),
    own.length > 0 && card('Leave', leaving(page, own)),
  ];
}

function roles(page, {organization, wallet, members}) {
  return [
    h('p', {class: 'hint'}, 'Supervisors admit members, promise tasks and recommend rewards. The member concerned signs too: a member elsewhere is asked by letter.'),
    needsOthers(organization),
    form('Change it', [
      memberField('Member', 'member', members),
      choiceField('Becomes', 'role', [['supervisor', 'supervisor'], ['member', 'member']]),
      keyField('Signed by', supervisorsOf(wallet)),
    ], async ({member, role, account}) => {
      const answer = await call('wallet.set_role', {member, role, account, offer: 'yes'});
      return outcomeOf(page, answer, account, {done: 'The role is changed.', refused: 'The role is as it was.'});
    }),
  ];
}

// A supervisor's wallet signs both halves; any other asks the supervisors for theirs.
function leaving(page, own) {
  return h('details', h('summary', 'Leave the organization'),
    h('p', {class: 'hint'}, 'Whoever leaves, leaves nothing behind: pay what the account holds to somebody first, and release what is pledged. A supervisor signs too.'),
    form('Leave for good', [
      choiceField('Account', 'account', own.map((one) => [one.account, `${one.name}, ${state.money(one.balance)}`])),
      textField('Name of that account', 'name', {required: true, spellcheck: 'false'}, 'Write it once more, so that nobody leaves by a slip.'),
    ], async ({account, name}) => {
      if (name.trim() !== state.nameOf(account)) throw wrong('another_name', `The account you have chosen is called ${state.nameOf(account)}.`, 'name');
      const answer = await call('wallet.leave', {account});
      if (answer.asked === undefined) return outcomeOf(page, answer, account, {done: 'You have left.', refused: 'Nobody has left.'});
      return h('p', `${countOf(answer.asked, 'supervisor')} asked by letter for a signature. When theirs is here, yours is asked for above, under \u201cTo sign\u201d.`);
    }, {class: 'second'}));
}
