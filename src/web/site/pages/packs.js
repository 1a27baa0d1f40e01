// What members publish for each other: packs of files, and the tags under which things are found.
import {h, replace} from '../dom.js';
import {call} from '../rpc.js';
import {bytesText, countOf, shortId} from '../format.js';
import {accountOf, keyField, textOf, wrong} from '../acts.js';
import {actButton, badge, card, choiceField, command, empty, facts, form, guard, live, note, problem, saveFile, table, textField, when, who, withoutWallet} from '../parts.js';
import * as state from '../state.js';

export const title = 'Packs and tags';

const POLL_MS = 700;
const FIND_MS = 6_000;
const SAVED_BYTES_MAX = 64 << 20;  // what a page holds in memory at once

export function show(page) {
  const packs = live(page, {load: loadPacks, draw: (data) => drawPacks(page, data, () => packs.refresh()), topics: [{topic: 'block'}], every: 5_000});
  page.show(packs, live(page, {every: 0, load: loadTags, draw: (data) => drawTags(page, data)}));
}

async function ensureFollowed() {
  const organization = await state.organization();
  const followed = await state.followed();
  if (!organization && !followed) throw wrong('no_organization', 'So there are no packs and tags.');
  return followed;
}

// ---- Packs -----------------------------------------------------------------------------------------------

async function loadPacks() {
  const followed = await ensureFollowed();
  await state.wallet();  // names
  return {packs: followed ? await call('app.list') : [], follows: followed !== null};
}

function drawPacks(page, {packs, follows}, refresh) {
  return [
    card('Packs', packs.length === 0
      ? empty('Nobody has published a pack yet.', follows ? 'Packs are pages, price lists, tools: folders of files that a member publishes for the others.' : 'This node takes no part in the network, where packs come from.')
      : h('ul', {class: 'items'}, packs.map((pack) => entry(page, pack, refresh))),
    h('details', h('summary', 'Publish one of your own'),
      command('leither app publish FOLDER --kind content --name NAME --from KEY', 'A page cannot read your folders. Type:'))),
  ];
}

const isHere = ({local}) => local?.state === 'complete';

function entry(page, pack, refresh) {
  const outcome = h('div', {'aria-live': 'polite'});
  const kinds = [...new Set(pack.applications.map((one) => one.kind))].join(', ');
  return h('li',
    h('div', {class: 'line'}, h('h3', `${pack.name} ${pack.version}`), badge(kinds, 'plain'), standing(pack.local)),
    pack.text && h('p', {class: 'letter'}, pack.text),
    h('p', {class: 'hint line'}, h('span', {class: 'line'}, 'By ', who(pack.publisher)), when(pack.published_ms), h('span', bytesText(pack.bytes)), h('code', {title: pack.id}, shortId(pack.id))),
    h('div', {class: 'actions'},
      !isHere(pack) && actButton(pack.local?.state === 'fetching' ? 'See how far it is' : 'Fetch', () => fetching(page, pack, outcome, refresh), {done: 'It is being fetched.', outcome}),
      isHere(pack) && actButton('Show the files', () => showFiles(pack, outcome), {done: 'The files are listed.', outcome}),
      pack.local && actButton('Keep it no longer', () => call('app.remove', {id: pack.id}), {done: 'Its files are no longer kept on this node.', outcome, then: refresh, quiet: true})),
    outcome);
}

function standing(local) {
  if (!local) return badge('not on this node', 'plain');
  return local.state === 'complete' ? badge('on this node') : badge(share(local), 'warn');
}

const share = ({state: word, done_bytes: done, total_bytes: total}) => `${word}, ${total > 0 ? Math.floor(done * 100 / total) : 0} of 100`;

// Begins, and tells how far it is until it is complete or the page is left.
async function fetching(page, pack, outcome, refresh) {
  const look = async () => {
    const progress = await call('app.fetch', {id: pack.id});
    if (progress.state === 'complete') {
      refresh();
      return true;
    }
    replace(outcome, h('p', {class: 'hint', role: 'status'}, `${bytesText(progress.done_bytes)} of ${bytesText(progress.total_bytes)}, asked ${countOf(progress.asked_nodes, 'node')}. `
      + 'It goes on by itself whenever a node that has it is connected, also when you leave this page. Only members\u2019 nodes are given files.'));
    return false;
  };
  if (await look()) return;
  const again = async () => {
    if (!page.alive || !outcome.isConnected) return;
    try {
      if (await look()) return;
    } catch (error) {
      replace(outcome, problem(error));
      return;
    }
    setTimeout(again, POLL_MS);
  };
  setTimeout(again, POLL_MS);
}

async function showFiles(pack, outcome) {
  const {files} = await call('app.show', {id: pack.id});
  replace(outcome, h('p', {class: 'hint'}, 'They lie in this node\u2019s store. Save single files here, or all into a folder:'),
    command(`leither app fetch ${pack.id.slice(0, 12)} --out ${guard(folderName(pack.name))}`),
    table(`Files of ${pack.name}`, [
      {title: 'File', cell: (file) => [file.path, pack.applications.some((one) => one.entry === file.path) ? [' ', badge('begin here', 'plain')] : null]},
      {title: 'Size', right: true, cell: (file) => bytesText(file.bytes)},
      {title: 'Save', right: true, cell: (file) => saveButton(file)},
    ], files));
}

const folderName = (name) => `./${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-') || 'pack'}`;

function saveButton(file) {
  if (file.bytes > SAVED_BYTES_MAX) return h('span', {class: 'hint'}, 'too large for a page');
  const outcome = h('span', {'aria-live': 'polite'});
  const button = actButton('Save', async () => saveFile(await contentOf(file), 'application/octet-stream', file.path.split('/').at(-1)), {done: 'Saved.', outcome, quiet: true});
  button.classList.add('small');
  button.setAttribute('aria-label', `Save ${file.path}`);
  return [button, outcome];
}

async function contentOf(file) {
  const parts = [];
  for (const piece of file.pieces) {
    const {data} = await call('app.piece', {piece});
    parts.push(Uint8Array.from(data.match(/../g) ?? [], (digits) => parseInt(digits, 16)));
  }
  return parts;
}

// ---- Tags ------------------------------------------------------------------------------------------------

async function loadTags() {
  const organization = await state.organization();
  const followed = await state.followed();
  if (!organization && !followed) return null;
  return {wallet: await state.wallet(), packs: followed ? await call('app.list') : []};
}

function drawTags(page, data) {
  if (!data) return null;
  return [card('Search by tag', searching(page, data.packs)), card('Tag something', tagging(data))];
}

// As the daemon takes it: one word in small letters.
function tagOf(values) {
  const tag = (values.tag ?? '').trim().replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (tag === '' || /\s/.test(tag) || new TextEncoder().encode(tag).length > 32) throw wrong('not_a_tag', 'A tag is one word of at most 32 letters: letters, digits, - _ and .', 'tag');
  return tag;
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// What is not known here may be elsewhere: nodes that have it are looked for.
async function search(page, tag) {
  const params = {tag};
  let found = await call('tag.search', params);
  if (found.length > 0) return found;
  await call('tag.find', params);
  for (let waited = 0; found.length === 0 && waited < FIND_MS && page.alive; waited += POLL_MS) {
    await pause(POLL_MS);
    found = await call('tag.search', params);
  }
  return found;
}

function searching(page, packs) {
  return form('Search', [textField('Tag', 'tag', {required: true, maxlength: 32, spellcheck: 'false', autocapitalize: 'none'}, 'One word, such as bread.')], async (values) => {
    const tag = tagOf(values);
    const found = await search(page, tag);
    if (found.length === 0) return empty(`Nobody has tagged anything \u201c${tag}\u201d.`);
    return table(`Under the tag ${tag}`, [
      {title: 'What', cell: ({target}) => targetOf(target, packs)},
      {title: 'By', cell: (one) => who(one.author)},
      {title: 'Until', cell: (one) => when(one.expires_ms)},
    ], found);
  });
}

function targetOf(target, packs) {
  if (target.text !== undefined) return target.text;
  if (target.account !== undefined) return who(target.account);
  const pack = packs.find((one) => one.id === target.pack);
  return pack ? `the pack ${pack.name} ${pack.version}` : ['a pack: ', h('code', {title: target.pack}, shortId(target.pack))];
}

const DAYS = [['7', 'a week'], ['30', '30 days'], ['90', '90 days']];

function tagging({wallet, packs}) {
  if (!wallet.usable) return withoutWallet(wallet, 'leither tag add TAG TARGET --from KEY');
  const members = wallet.accounts.filter((one) => one.member);
  if (members.length === 0) return h('p', {class: 'hint'}, 'Members tag. None of the accounts in this wallet is a member yet.');
  const more = [['text', 'a text'], ['account', 'an account'], ...packs.map((pack) => [pack.id, `the pack ${pack.name} ${pack.version}`])];
  return form('Tag it', [
    textField('Under the tag', 'tag', {required: true, maxlength: 32, spellcheck: 'false', autocapitalize: 'none'}, 'One word, by which others shall find it.'),
    choiceField('What', 'what', more, 'text'),
    textField('Text or account', 'target', {maxlength: 200}, 'An address, a telephone number, the 40 digits of an account. Empty for a pack.'),
    choiceField('To be found for', 'days', DAYS, '90'), keyField('Tagged by', members),
  ], async (values, element) => {
    const target = values.what === 'text' ? textOf(values, 'target', 'Write what others shall find.') : values.what === 'account' ? accountOf(values, 'target') : values.what;
    await call('wallet.tag', {account: values.account, tag: tagOf(values), target, days: Number(values.days)});
    state.choose(values.account);
    element.reset();
    note('Tagged.');
    return h('p', 'Others find it from now on.');
  });
}
