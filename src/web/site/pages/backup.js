// What to do so that a lost machine is no lost balance. The keys themselves never pass through a page.
import {h} from '../dom.js';
import {card, command, live, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Backup';

export function show(page) {
  page.show(live(page, {every: 0, load: async () => ({organization: await state.organization() !== null, wallet: await state.wallet()}), draw}));
}

function draw({wallet}) {
  const directory = wallet.directory;
  return [
    wallet.reason && wallet.reason !== 'locked' && card('Your keys', withoutWallet(wallet, 'leither backup create FILE')),
    card('Make a backup', h('p', 'One encrypted file holds your keys, what you have asked for and promised, whom this node follows, and your receipts. Twelve words open it.'),
      command('leither backup create my-backup.leither', 'On this machine, type:'),
      h('ul', {class: 'bullets'},
        h('li', 'Write the twelve words on paper. They are shown once, and nobody can open the file without them.'),
        h('li', 'Keep the file where this machine\u2019s end is not its end: on a stick in another house, with a friend. Without the words it is worth nothing to them.'),
        h('li', 'Make a new one when you have made a key, and now and then for the receipts.'))),
    card('See whether it holds', command('leither backup verify my-backup.leither', 'Asks for the words and says what is in the file. A backup that nobody has ever opened is a hope:')),
    card('On a new machine', command('leither backup restore my-backup.leither', 'Start leitherd there, and type:'),
      h('p', {class: 'hint'}, 'Balances come back from the other members\u2019 nodes, with proof. Stop the old machine first, if it still runs.')),
    card('Why not by a button?', h('p', {class: 'hint'}, 'These pages act with your keys, but never hold them: whoever takes over a browser shall not walk away with them.'),
      directory && h('p', {class: 'hint'}, 'The keys lie in ', h('code', directory), '.')),
  ];
}
