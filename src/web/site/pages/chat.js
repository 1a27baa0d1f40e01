// The conversation of all members, live.
import {h, replace} from '../dom.js';
import {call} from '../rpc.js';
import {clockText, dateText} from '../format.js';
import {empty, field, form, problem, choiceField, who, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Chat';

const LINES = 100;

export async function show(page) {
  await state.organization();
  const [wallet, accounts] = await Promise.all([state.wallet(), state.accounts()]);
  const log = h('ol', {class: 'chat', role: 'log', 'aria-label': 'Conversation', tabindex: '0'});
  const seen = new Set();
  const older = h('p', {class: 'older'});
  const frame = h('div', {class: 'live'});

  const put = (line, where = 'end') => {
    if (seen.has(line.id)) return;
    seen.add(line.id);
    const isNear = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    const element = drawLine(line, accounts);
    if (where === 'end') log.append(element); else log.prepend(element);
    if (where === 'end' && isNear) log.scrollTop = log.scrollHeight;
  };
  const read = async () => {
    try {
      const lines = await call('chat.read', {limit: LINES});
      if (!page.alive) return;
      lines.forEach((line) => put(line));
      replace(frame, seen.size === 0 ? empty('Nobody has said anything yet.') : null);
      replace(older, lines.length < LINES ? null : h('button', {type: 'button', class: 'quiet small', onclick: readOlder}, 'Older lines'));
      log.scrollTop = log.scrollHeight;
    } catch (error) {
      if (page.alive) replace(frame, problem(error, read));
    }
  };
  const readOlder = async () => {
    const first = log.firstElementChild?.dataset.id;
    const lines = await call('chat.read', {limit: LINES, ...(first ? {before: first} : {})});
    [...lines].reverse().forEach((line) => put(line, 'begin'));
    if (lines.length < LINES) replace(older);
  };
  page.listen({topic: 'chat'}, (line) => { replace(frame); put(line); });
  page.onBack(read);
  page.show(h('section', {class: 'card chat-card', 'aria-label': 'Conversation'}, older, log, frame, say(wallet, accounts, put)));
  await read();
}

function drawLine(line, accounts) {
  const isOwn = accounts.some((one) => one.own && one.account === line.author);
  return h('li', {class: isOwn ? 'own' : null, 'data-id': line.id},
    h('div', {class: 'line'}, who(line.author), h('time', {datetime: new Date(line.time_ms).toISOString(), title: dateText(line.time_ms)}, clockText(line.time_ms))),
    h('p', {class: 'said'}, line.text));
}

function say(wallet, accounts) {
  if (!wallet.usable) return withoutWallet(wallet, 'leither chat send TEXT --from KEY');
  const own = accounts.filter((one) => one.own && one.member);
  if (own.length === 0) return h('p', {class: 'hint'}, 'Members talk here. None of your accounts is a member.');
  return form('Send', [
    own.length > 1 ? choiceField('As', 'account', own.map((one) => [one.account, one.name]), state.chosen(own)?.account)
      : h('input', {type: 'hidden', name: 'account', value: own[0].account}),
    field('Your line', (at) => h('input', {type: 'text', autocomplete: 'off', required: true, maxlength: 500, ...at, name: 'text'})),
  ], async ({account, text}, element) => {
    if (text.trim() === '') throw Object.assign(new Error('Write something first.'), {name: 'empty_line'});
    await call('wallet.chat', {account, text});
    const input = element.querySelector('input[name=text]');
    input.value = '';
    input.focus();
    return null;
  }, {class: `say ${own.length > 1 ? 'several' : ''}`});
}
