// The wallet's passphrase.
import {h} from '../dom.js';
import {call} from '../rpc.js';
import {field, form, note} from '../parts.js';

export const title = 'Unlock the wallet';

export function show(page) {
  page.show(h('section', {class: 'card narrow'},
    h('p', 'Your keys are encrypted on disk. The daemon keeps them open until it stops or you lock them again.'),
    form('Unlock', field('Passphrase', (at) => h('input', {type: 'password', autocomplete: 'current-password', required: true, ...at, name: 'passphrase'})),
      async ({passphrase}) => {
        await call('wallet.unlock', {passphrase});
        note('The wallet is unlocked.');
        location.hash = '#/overview';
      })));
}
