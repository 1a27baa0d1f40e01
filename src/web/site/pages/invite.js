// An invitation: a link and a code by which somebody can ask to be admitted.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {qrPicture} from '../charts.js';
import {encode} from '../qr.js';
import {keyField, shownText, wrong} from '../acts.js';
import {card, choiceField, facts, field, form, live, problem, when, who, withoutWallet} from '../parts.js';
import {dateText} from '../format.js';
import * as state from '../state.js';

export const title = 'Invite';

const TIMES = [['1', 'a day'], ['3', '3 days'], ['14', '14 days'], ['30', '30 days'], ['90', '90 days']];

export function show(page) {
  page.show(live(page, {every: 0, load: async () => ({organization: await state.organization() !== null, wallet: await state.wallet()}), draw}));
}

function draw({organization, wallet}) {
  if (!organization) return problem(wrong('no_organization', 'Whoever belongs to one can invite others to it.'));
  return [card('Invite somebody', what(), maker(wallet)), card('A link you have already', shower())];
}

const what = () => h('p', {class: 'hint'}, 'An invitation says which organization it is, where its nodes are found, and which member to ask. It admits nobody by itself: whoever uses it asks, and a supervisor decides. It holds no key and no money. Whoever sees it learns these addresses.');

function maker(wallet) {
  if (!wallet.usable) return withoutWallet(wallet, 'leither invite --qr');
  const members = wallet.accounts.filter((one) => one.member);
  if (members.length === 0) return h('p', {class: 'notice'}, 'Members invite. None of the accounts in this wallet is a member yet.');
  return form('Make the invitation', [
    keyField('Invited by', members),
    choiceField('Good for', 'days', TIMES, '14', 'Within that time it can be used, by anybody who has it.'),
  ], async ({account, days}) => {
    const made = await call('wallet.invite', {account, days: Number(days)});
    state.choose(account);
    return invitation(made.invitation, made);
  });
}

// Capitals make smaller codes, and are the same link.
function code(link) {
  const drawn = encode(link.toUpperCase(), 'L');
  return drawn ? qrPicture(drawn, 'QR code of the invitation') : h('p', {class: 'hint'}, 'It is too long for a code: hand it over as text.');
}

function invitation(link, said) {
  return h('div', {class: 'offer'},
    h('p', `Show this code, or send the link. It is good until ${dateText(said.expires_ms)}.`),
    code(link), shownText('Invitation', link), contents(said),
    h('p', {class: 'hint'}, 'They paste it on their own node\u2019s page \u201cBegin\u201d, or type leither org join LINK --from NAME. What they ask for comes to your members page.'));
}

// What an invitation says, for whoever makes it and for whoever is invited.
export function contents(said) {
  return facts([
    ['Organization', said.name],
    ['Invited by', who(said.member)],
    ['Good until', when(said.expires_ms)],
    ['Begins at', said.nodes.flatMap((node) => node.endpoints).join(', ') || '\u2013'],
    said.checkpoint && ['Newest checkpoint', h('code', said.checkpoint)],
    ['Number', h('code', said.organization)],
  ]);
}

function shower() {
  return form('Show it as a code', field('Link', (at) => h('textarea', {rows: 3, spellcheck: 'false', autocomplete: 'off', required: true, ...at, name: 'link', placeholder: 'leither:\u2026'}),
    'Paste it here to show it to a phone\u2019s camera.'), async ({link}) => {
    const text = link.replaceAll(/\s/g, '');
    if (!/^leither:[a-z]+:[0-9a-z]+$/i.test(text)) throw wrong('not_a_link', 'A link begins with leither: and is one word.', 'link');
    const drawn = encode(text, 'L');
    if (!drawn) throw wrong('too_long', 'It is too long for a code: hand it over as text.', 'link');
    return qrPicture(drawn, 'QR code of the link');
  });
}
