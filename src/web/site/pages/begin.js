// A node that belongs nowhere yet: join by an invitation, or found an organization.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {textOf, unitsOf, wrong} from '../acts.js';
import {badge, card, choiceField, field, form, live, note, problem, textField, when, who, withoutWallet} from '../parts.js';
import {parseAmount, sumOf} from '../format.js';
import {contents} from './invite.js';
import * as state from '../state.js';

export const title = 'Begin';

export function show(page) {
  const standing = live(page, {load: loadStanding, draw: drawStanding, topics: [], every: 5_000});
  page.show(standing, live(page, {every: 0, load: loadWays, draw: (data) => drawWays(data, () => standing.refresh())}));
}

// ---- How one's applications stand ---------------------------------------------------------------------------

async function loadStanding() {
  const organization = await state.organization();
  const followed = await state.followed();
  const wallet = await state.wallet();
  return {organization, followed, applications: wallet.usable && followed?.chain_id ? await applications() : []};
}

async function applications() {
  try {
    return await call('wallet.standing');
  } catch (error) {
    if (['not_found', 'no_manifest'].includes(error.name)) return [];  // nobody has applied
    throw error;
  }
}

const STATES = {member: ['member', ''], waiting: ['waiting', 'warn'], refused: ['refused', 'bad'], expired: ['expired', 'bad']};

function drawStanding({organization, followed, applications: items}) {
  return [
    organization && card('This node', h('p', 'It belongs to ', h('strong', organization.name), '. ', h('a', {href: '#/overview'}, 'Go to the overview'), '.')),
    !organization && followed && items.length === 0 && card('This node', h('p', 'It takes part in ', h('strong', followed.manifest?.name ?? 'an organization'), ', and none of your accounts has asked to be admitted.')),
    items.length > 0 && card('Your applications', h('ul', {class: 'items'}, items.map((one) => {
      const [word, kind] = STATES[one.state] ?? [one.state, 'plain'];
      return h('li',
        h('div', {class: 'line'}, who(one.account, {link: false}), badge(word, kind), h('span', {class: 'hint line'}, 'asked ', when(one.sent_ms))),
        h('p', sentence(one.words)), next(one, organization));
    }))),
  ];
}

const sentence = (words) => `It ${words}.`;

function next({state: standing}, organization) {
  if (standing === 'member') return organization ? null : h('p', {class: 'hint'}, 'The ledger is on its way to this node. When it is here, the overview shows your balance.');
  if (standing === 'waiting') return h('p', {class: 'hint'}, 'You need not wait here: the answer comes to this node. A task that a supervisor promised you can be done meanwhile: ', h('a', {href: '#/tasks'}, 'tasks'), '.');
  return h('p', {class: 'hint'}, 'Ask again below, with another note perhaps.');
}

// ---- Ways in -------------------------------------------------------------------------------------------------

async function loadWays() {
  return {organization: await state.organization() !== null, followed: await state.followed() !== null, wallet: await state.wallet()};
}

function drawWays({organization, followed, wallet}, refresh) {
  if (organization) return null;
  return [
    card('Join by an invitation', h('p', {class: 'hint'}, 'A member gave you a link that begins with leither:invite:, or a code that holds one.'), joining(wallet, refresh)),
    !followed && card('Found an organization', h('p', {class: 'hint'}, 'You become its first member and supervisor, and this node keeps its ledger. What is fixed here stays fixed, but for the parameters that members vote on.'),
      wallet.usable ? h('details', h('summary', 'Found one'), founding(wallet)) : withoutWallet(wallet, 'leither org create')),
  ];
}

function keyName(values) {
  const name = (values.account ?? '').trim();
  if (!/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(name)) throw wrong('not_a_name', 'A name in this wallet has small letters from a to z, digits, and behind the first also . _ and -.', 'account');
  return name;
}

const ownNameField = (label, wallet, usual, hint) => textField(label, 'account', {required: true, maxlength: 64, spellcheck: 'false', autocapitalize: 'none', value: wallet.accounts[0]?.name ?? usual}, hint);

function joining(wallet, refresh) {
  return form('Look at it', [
    field('Invitation', (at) => h('textarea', {rows: 4, spellcheck: 'false', autocomplete: 'off', required: true, ...at, name: 'link', placeholder: 'leither:invite:\u2026'}), 'Paste the whole link.'),
  ], async ({link}) => {
    const text = link.replaceAll(/\s/g, '');
    if (!/^leither:invite:[0-9a-z]+$/i.test(text)) throw wrong('not_an_invitation', 'An invitation begins with leither:invite: and is one word. Ask whoever invited you for the whole link.', 'link');
    if (!wallet.usable) return withoutWallet(wallet, `leither org join ${text} --from NAME`);
    const said = await call('wallet.invitation', {text});
    return h('div', {class: 'offer'}, contents(said), said.expired
      ? problem(wrong('it_has_expired', 'Ask whoever invited you for another one.'))
      : asking(text, said, wallet, refresh));
  });
}

function asking(link, said, wallet, refresh) {
  return form('Ask to be admitted', [
    ownNameField('Your name in this wallet', wallet, '', 'Only you see it. If the wallet has no key of that name, one is made.'),
    textField('Note', 'note', {maxlength: 140}, 'A line to those who decide: who you are, what you do. May stay empty.'),
  ], async (values, element) => {
    const account = keyName(values);
    const note = values.note.trim();
    const answer = await call('wallet.join', {link, account, ...(note ? {note} : {})});
    element.querySelector('button[type=submit]').remove();
    refresh();
    return h('p', {role: 'status'}, answer.state === 'member' ? `You are a member of ${said.name} already.` : `Asked. Members of ${said.name} see your application; how it stands is said above.`);
  });
}

// ---- Founding ------------------------------------------------------------------------------------------------

const USUAL = {unit: 'hour', supply: '1000000', announcement: 'All credit starts in the treasury; rewards bring it to members.'};
const SHARES_MAX = 64;

function founding(wallet) {
  return form('Found it', [
    textField('What is it called?', 'name', {required: true, maxlength: 64}),
    textField('What is its credit called?', 'unit', {required: true, maxlength: 16, value: USUAL.unit}, 'For example hour, loaf, point.'),
    choiceField('Digits behind the point', 'decimals', ['0', '1', '2', '3', '4'].map((count) => [count, count === '0' ? 'none: whole numbers only' : count]), '2'),
    textField('How much credit will there ever be?', 'supply', {inputmode: 'decimal', required: true, value: USUAL.supply}, 'All of it begins in the treasury, but for the shares below. More is never made.'),
    field('What shall everybody know of its first distribution?', (at) => h('textarea', {rows: 3, maxlength: 280, required: true, ...at, name: 'announcement'}, USUAL.announcement), 'Public for good.'),
    ownNameField('Your name in this wallet', wallet, 'founder', 'Only you see it. If the wallet has no key of that name, one is made.'),
    shares(),
  ], found);
}

// Rows of who gets what at the beginning, and why. None is fine.
function shares() {
  const rows = h('div', {class: 'rows'});
  const add = () => {
    const row = h('fieldset', {class: 'share'}, h('legend', 'Share'),
      textField('For', 'share_key', {maxlength: 64, spellcheck: 'false'}, 'Empty for you; or the 64 digits of somebody\u2019s public key (leither key list shows it).'),
      textField('Share', 'share_amount', {inputmode: 'decimal', required: true}),
      textField('Reason for it', 'share_reason', {maxlength: 140, required: true}, 'Public for good.'),
      h('div', {class: 'actions'}, h('button', {type: 'button', class: 'quiet small', onclick: () => row.remove()}, 'Take this share away')));
    if (rows.childElementCount < SHARES_MAX) rows.append(row);
    row.querySelector('input').focus();
  };
  return [rows, h('div', {class: 'actions'}, h('button', {type: 'button', class: 'quiet', onclick: add}, 'Add a share'))];
}

async function found(values, element) {
  const decimals = Number(values.decimals);
  const name = textOf(values, 'name', 'Give it a name.');
  const unit = textOf(values, 'unit', 'Give its credit a name, such as hour.');
  const supply = unitsOf(values, decimals, 'supply');
  const announcement = textOf(values, 'announcement', 'Say in a line how credit comes to the members.');
  const account = keyName(values);
  const all = sharesOf(element, account, decimals);
  if (BigInt(sumOf(all.map((share) => share.amount))) > BigInt(supply)) throw wrong('too_much_is_given_away', 'The shares together are more than all credit there will be. Make them smaller, or the supply larger.', 'supply');
  await call('wallet.found', {name, unit, decimals, supply, announcement, account, ...(all.length > 0 ? {shares: all} : {})});
  note('Founded.');
  state.forgetOrganization();
  window.dispatchEvent(new Event('organization'));
  element.querySelector('button[type=submit]').remove();
  return h('div', {class: 'notice', role: 'status'}, h('p', h('strong', `${name} is founded.`), ' You are its first member and supervisor.'),
    h('p', {class: 'actions'}, h('a', {class: 'button', href: '#/invite'}, 'Invite somebody'), h('a', {class: 'button quiet', href: '#/overview'}, 'Overview')));
}

function sharesOf(element, account, decimals) {
  return [...element.querySelectorAll('.share')].map((row) => {
    const part = (name) => row.querySelector(`[name=${name}]`);
    const complain = (name, complaint) => {
      part(name).focus();
      return wrong('a_share_is_not_complete', complaint);
    };
    const key = part('share_key').value.trim();
    if (key !== '' && !/^[0-9a-f]{64}$/i.test(key)) throw complain('share_key', 'A public key has 64 digits and letters from a to f. Leave it empty for your own share.');
    const reason = part('share_reason').value.trim();
    if (reason === '') throw complain('share_reason', 'Say why each share is given.');
    try {
      return {key: key === '' ? account : key.toLowerCase(), amount: parseAmount(part('share_amount').value, decimals), reason};
    } catch (error) {
      throw complain('share_amount', error.message);
    }
  });
}
