// Who belongs to the organization, and who wants to.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {qrPicture} from '../charts.js';
import {countOf} from '../format.js';
import {encode} from '../qr.js';
import {badge, card, command, copyButton, empty, field, form, live, money, officeCommands, table, when, who, wordsOf} from '../parts.js';
import * as state from '../state.js';

export const title = 'Members';

const PAGE = 200;

async function load(pages) {
  const organization = await state.organization();
  if (!organization) throw Object.assign(new Error('So there are no members.'), {name: 'no_organization'});
  const wallet = await state.wallet();
  const items = [];
  let from;
  do {
    const part = await call('member.list', {limit: Math.min(1000, pages.limit - items.length), ...(from ? {from} : {})});
    items.push(...part.items);
    from = part.next;
  } while (from && items.length < pages.limit);
  const status = await call('node.status');
  const inbox = wallet.usable ? (await call('wallet.inbox')).items.filter((item) => item.kind === 'application' && item.state === 'waiting') : [];
  return {wallet, items, more: Boolean(from), count: status.organization.members, applications: inbox};
}

export function show(page) {
  const pages = {limit: PAGE};
  const box = live(page, {load: () => load(pages), draw: (data) => draw(data, pages, () => box.refresh()), topics: [{topic: 'block'}]});
  page.show(box);
}

function draw(data, pages, refresh) {
  return [
    card('Applications', applications(data)),
    card('Invite somebody', invitation()),
    card(countOf(data.count, 'member'), table('Members', [
      {title: 'Member', cell: (item) => who(item.account)},
      {title: 'Role', cell: (item) => badge(item.role, item.role === 'supervisor' ? '' : 'plain')},
      {title: 'Balance', right: true, cell: (item) => money(item.balance)},
      {title: 'Locked', right: true, cell: (item) => item.locked === '0' ? '\u2013' : money(item.locked)},
      {title: 'Number', right: true, cell: (item) => copyButton(item.account, `Copy the number of ${state.nameOf(item.account)}`)},
    ], data.items),
    data.more && h('p', h('button', {type: 'button', class: 'quiet', onclick: () => { pages.limit += PAGE; refresh(); }}, 'Show more'))),
  ];
}

// Signing an invitation is the command line's; showing it to a camera is easier here.
function invitation() {
  return [
    command('leither invite', 'Any member makes a link by which somebody can join:'),
    form('Show it as a code', field('Link', (at) => h('textarea', {rows: 3, spellcheck: 'false', autocomplete: 'off', required: true, ...at, name: 'link', placeholder: 'leither:\u2026'}),
      'Paste it here to show it to a phone\u2019s camera.'), async ({link}) => {
      const text = link.replaceAll(/\s/g, '');
      if (!/^leither:[a-z]+:[0-9a-z]+$/i.test(text)) throw Object.assign(new Error('A link begins with leither: and is one word.'), {name: 'not_a_link'});
      const code = encode(text, 'L');
      if (!code) throw Object.assign(new Error('It is too long for a code: hand it over as text.'), {name: 'too_long'});
      return qrPicture(code, 'QR code of the link');
    }),
  ];
}

function applications({wallet, applications: items}) {
  if (!wallet.usable) {
    return command('leither org applications', 'Applications arrive as letters to supervisors. Who keeps such a key reads them by:');
  }
  if (items.length === 0) return empty('Nobody waits to be admitted.', 'Applications that are sent to a supervisor\u2019s account of this wallet come here.');
  return h('ul', {class: 'items'}, items.map((item) => h('li',
    h('div', {class: 'line'}, who(item.from), when(item.sent_ms)),
    wordsOf(item.text) && h('p', {class: 'letter'}, wordsOf(item.text)),
    officeCommands(item))));
}
