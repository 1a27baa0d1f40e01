// Paying: a request that somebody handed over, or straight to an account.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {follow} from '../acts.js';
import {parseAmount, plainAmount} from '../format.js';
import {accountField, amountField, card, choiceField, facts, field, form, guard, live, money, problem, textField, when, who, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Pay';

const PAID = {
  committed: 'In the ledger. Not secured yet: more nodes must check it. For small sums that is enough.',
  secured: 'Secured: hand over what it is for. It settles by itself unless somebody proves an error.',
  refused: 'Nothing was paid.',
  expired: 'Nothing was paid, and it cannot be any more.',
};

export function show(page) {
  page.show(live(page, {every: 0, load: async () => ({organization: await state.organization() !== null, wallet: await state.wallet(), accounts: await state.accounts()}),
    draw: (data) => draw(page, data)}));
}

function draw(page, data) {
  if (!data.organization) return problem(Object.assign(new Error('Nothing can be paid.'), {name: 'no_organization'}));
  return [byRequest(page, data), toAccount(page, data), visibility()];
}

// Said before anything is paid.
const visibility = () => card('Who can see a payment?',
  h('p', 'Whoever keeps a copy of the ledger, so the nodes of your organization: both accounts, the amount and the reference, for as long as they keep history. Strangers see that something was decided, not what. A payment cannot be taken back, only paid back.'));

// ---- With a request ---------------------------------------------------------------------------------------

function byRequest(page, {wallet, accounts}) {
  const text = (at) => h('textarea', {rows: 4, spellcheck: 'false', autocomplete: 'off', required: true, ...at, name: 'text', placeholder: 'leither:pay:\u2026'});
  return card('A request you were given', form('Look at it', field('Request', text, 'Paste the text that the payee sent you.'), async ({text: given}) => {
    const request = given.replaceAll(/\s/g, '');
    if (!/^leither:pay:[0-9a-f]+$/i.test(request)) throw Object.assign(new Error('A request begins with leither:pay: and is one word. Ask the payee for the whole text.'), {name: 'not_a_request'});
    if (!wallet.usable) return withoutWallet(wallet, `leither pay ${request} --from KEY`);
    const read = await call('wallet.read', {text: request});
    if (read.kind !== 'request') throw Object.assign(new Error(`This is no payment request but ${read.kind === 'invitation' ? 'an' : 'a'} ${read.kind}.`), {name: 'not_a_request'});
    return offer(page, request, read, accounts.filter((one) => one.own));
  }));
}

function offer(page, text, read, own) {
  const accounts = own.filter((one) => one.account !== read.payee);
  const complaint = read.organization_matches === false ? 'This request is for another organization than the one this node keeps.'
    : read.expires_ms !== undefined && read.expires_ms < Date.now() ? 'This request has expired. Ask the payee for a new one.'
      : accounts.length === 0 ? 'You have signed this request yourself: somebody else pays it.' : null;
  return h('div', {class: 'offer'},
    h('p', {class: 'balance'}, money(read.amount)),
    facts([
      ['To', who(read.payee)],
      read.reference && ['For', read.reference],
      read.expires_ms !== undefined && ['Good until', when(read.expires_ms)],
    ]),
    !complaint && audience(read.who_sees),
    complaint ? h('p', {class: 'notice bad', role: 'alert'}, complaint)
      : form('Pay now', accountField('From', 'account', accounts), async ({account}, element) => {
        const {id} = await call('wallet.pay', {account, text});
        state.choose(account);
        element.querySelector('button[type=submit]').remove();
        return follow(page, id, account, PAID);
      }));
}

// Who will see this payment, and what of it.
const audience = (list) => list && h('details', h('summary', 'Who can see this?'), facts(list.map(({who: name, what}) => [name, what])));

// ---- Straight to an account ---------------------------------------------------------------------------------

function toAccount(page, {wallet, accounts}) {
  const own = accounts.filter((one) => one.own);
  const others = wallet.usable ? own.filter((one) => one.member) : [];
  const why = h('p', {class: 'hint'}, 'Whoever is paid signs first. So others send you a request; between accounts of your own no request is needed.');
  if (wallet.usable && others.length < 2) return card('Without a request', why);
  const payee = wallet.usable ? choiceField('Payee', 'payee', others.map((one) => [one.account, one.name]), others.at(-1).account)
    : textField('Payee', 'payee', {required: true, maxlength: 64, spellcheck: 'false'}, 'The name of a key of the same wallet.');
  return card('Between your own accounts', why,
    form('Pay', [
      payee, amountField(), textField('Reference', 'reference', {maxlength: 64}, 'What it is for. Both sides keep it.'),
      wallet.usable && accountField('From', 'account', own),
    ], async ({payee: given, amount, reference, account}) => {
      const payee = given.trim();
      const units = parseAmount(amount, state.decimals());
      if (payee === '') throw Object.assign(new Error('Say who shall be paid.'), {name: 'no_payee'});
      if (!wallet.usable) {
        const words = reference ? ` --reference ${guard(reference)}` : '';
        return withoutWallet(wallet, `leither pay ${guard(payee)} ${plainAmount(units, state.decimals())} --from KEY${words}`);
      }
      if (payee === account) throw Object.assign(new Error('Choose two different accounts.'), {name: 'pays_itself'});
      const {id} = await call('wallet.pay', {account, payee, amount: units, ...(reference ? {reference} : {})});
      state.choose(account);
      return follow(page, id, account, PAID);
    }));
}
