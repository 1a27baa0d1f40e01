// Asking for a payment: a text and a QR code that the payer takes.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {encode} from '../qr.js';
import {qrPicture} from '../charts.js';
import {parseAmount, plainAmount} from '../format.js';
import {accountField, amountField, badge, card, choiceField, copyButton, form, guard, live, money, problem, textField, when, who, whyButton, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Request';

const TIMES = [['600', '10 minutes'], ['3600', 'an hour'], ['86400', 'a day']];

export function show(page) {
  page.show(live(page, {every: 0, load: async () => ({organization: await state.organization() !== null, wallet: await state.wallet(), accounts: await state.accounts()}), draw}),
    live(page, {load: loadOwn, draw: drawOwn, topics: [{topic: 'block'}], every: 5_000}));
}

// ---- What was asked for -------------------------------------------------------------------------------------

async function loadOwn() {
  if (!await state.organization() || !(await state.wallet()).usable) return [];
  try {
    return (await call('wallet.requests')).items.reverse();
  } catch (error) {
    if (error.isUnknownMethod) return [];
    throw error;
  }
}

const BADGES = {pending: 'plain', committed: '', secured: '', settled: '', refused: 'bad', expired: 'warn'};
const STATES = {pending: 'waits to be paid', committed: 'paid, not secured yet', secured: 'paid and secured', settled: 'paid and settled', refused: 'declined', expired: 'expired'};

function drawOwn(items) {
  if (items.length === 0) return null;
  return card('What you asked for', h('ul', {class: 'items'}, items.map((item) => h('li',
    h('div', {class: 'line'}, money(item.amount), badge(STATES[item.state] ?? item.state, BADGES[item.state] ?? 'plain'),
      item.payer ? h('span', {class: 'line'}, 'from ', who(item.payer)) : null),
    item.reference && h('p', item.reference),
    item.reason && h('p', {class: 'hint'}, `They say: ${item.reason}`),
    item.state === 'expired' && h('p', {class: 'hint'}, item.proven ? 'It is proven that nobody has paid it, and nobody can any more.' : 'Nobody can pay it any more. Whether somebody did shows the next block.'),
    h('p', {class: 'hint'}, 'For ', state.nameOf(item.account), ', asked ', when(item.asked_ms), item.state === 'pending' ? [', good until ', when(item.expires_ms)] : null),
    whyButton({id: item.id})))));
}

// ---- Asking --------------------------------------------------------------------------------------------------

function draw({organization, wallet, accounts}) {
  if (!organization) return problem(Object.assign(new Error('Nothing can be asked for.'), {name: 'no_organization'}));
  const own = accounts.filter((one) => one.own);
  return card('Ask to be paid',
    h('p', {class: 'hint'}, 'You sign first; whoever pays signs last. What you ask for can be paid once.'),
    form('Make the request', [
      amountField(),
      textField('Reference', 'reference', {maxlength: 64}, 'What it is for. The payer sees it.'),
      choiceField('Good for', 'expires', TIMES, '600'),
      wallet.usable && accountField('To', 'account', own),
      textField('Payer', 'payer', {maxlength: 64, spellcheck: 'false', list: 'contacts'}, 'May stay empty. With an account\u2019s name or its 40 digits it is also sent there as a sealed letter.'),
      h('datalist', {id: 'contacts'}, state.contactList().map((one) => h('option', {value: one.name}))),
    ], (values) => make(values, wallet)));
}

async function make({amount, reference, expires, account, payer}, wallet) {
  const units = parseAmount(amount, state.decimals());
  if (!wallet.usable) {
    const words = reference ? ` --reference ${guard(reference)}` : '';
    return withoutWallet(wallet, `leither request ${plainAmount(units, state.decimals())} --to KEY${words} --expires ${expires}s`);
  }
  const params = {account, amount: units, expires_s: Number(expires)};
  if (reference) params.reference = reference;
  if (payer.trim()) params.payer = payer.trim().toLowerCase();
  const {text} = await call('wallet.request', params);
  state.choose(account);
  return offer(text, units, reference, params.payer);
}

export function offer(text, units, reference, payer) {
  const code = encode(text, 'L');
  return h('div', {class: 'offer'},
    h('p', {class: 'balance'}, money(units)),
    reference && h('p', reference),
    payer && h('p', 'It is on its way to the payer as a sealed letter. You may also hand it over yourself:'),
    code ? qrPicture(code, 'QR code of the request; the text below says the same') : h('p', {class: 'hint'}, 'Too long for a QR code: hand over the text.'),
    h('label', {class: 'visually-hidden', for: 'request-text'}, 'Text of the request'),
    h('textarea', {id: 'request-text', readonly: true, rows: 4, spellcheck: 'false'}, text),
    h('div', {class: 'actions'}, copyButton(text, 'Copy the request')));
}
