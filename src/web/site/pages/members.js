// Who belongs to the organization, and who wants to.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {countOf} from '../format.js';
import {actButton, badge, card, command, copyButton, empty, live, money, table, when, who} from '../parts.js';
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
    card('Applications', applications(data, refresh)),
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

function applications({wallet, applications: items}, refresh) {
  if (!wallet.usable) {
    return command('leither member add TEXT', 'Whoever wants to join sends a supervisor the text that leither member apply prints. The supervisor types:');
  }
  if (items.length === 0) return empty('Nobody waits to be admitted.', 'Applications that are sent to a supervisor\u2019s account of this wallet come here.');
  return h('ul', {class: 'items'}, items.map((item) => {
    const outcome = h('div', {'aria-live': 'polite'});
    return h('li', h('div', {class: 'line'}, who(item.from), when(item.sent_ms)), item.message && h('p', {class: 'letter'}, item.message),
      h('div', {class: 'actions'},
        actButton('Approve', () => call('wallet.accept', {id: item.id}), {done: 'Approved.', outcome, then: refresh}),
        actButton('Decline', () => call('wallet.decline', {id: item.id}), {done: 'Declined.', outcome, then: refresh, quiet: true})), outcome);
  }));
}
