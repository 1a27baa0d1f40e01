// Start, hash routes, navigation, and what is told to everybody: the daemon is away, nobody is signed in.
import {h, replace} from './dom.js';
import {PLACE, call, daemon, signOut} from './rpc.js';
import {icon} from './icons.js';
import {problem} from './parts.js';
import * as state from './state.js';
import * as overview from './pages/overview.js';
import * as pay from './pages/pay.js';
import * as request from './pages/request.js';
import * as inbox from './pages/inbox.js';
import * as history from './pages/history.js';
import * as members from './pages/members.js';
import * as votes from './pages/votes.js';
import * as rewards from './pages/rewards.js';
import * as begin from './pages/begin.js';
import * as invite from './pages/invite.js';
import * as contributions from './pages/contributions.js';
import * as tasks from './pages/tasks.js';
import * as packs from './pages/packs.js';
import * as backup from './pages/backup.js';
import * as chat from './pages/chat.js';
import * as node from './pages/node.js';
import * as login from './pages/login.js';
import * as unlock from './pages/unlock.js';

const PAGES = {overview, pay, request, inbox, history, members, invite, votes, rewards, contributions, tasks, packs, chat, node, backup, begin, login, unlock};
const NAVIGATION = [
  ['Yours', ['overview', 'pay', 'request', 'inbox', 'history']],
  ['Together', ['members', 'invite', 'votes', 'contributions', 'rewards', 'tasks', 'chat', 'packs']],
  ['This machine', ['node', 'backup']],
];
const ON_PHONES = ['overview', 'pay', 'inbox', 'chat'];  // the others are behind "More"

const byId = (id) => document.getElementById(id);

// ---- The page at hand --------------------------------------------------------------------------------

// What a page is given: where it draws, its parameters, and ways to be told of things until it is left.
class Page {
  alive = true;
  #endings = [];

  constructor(body, parameters) {
    this.body = body;
    this.parameters = parameters;
  }
  show(...content) { replace(this.body, content); }
  listen(params, tell) { this.#endings.push(daemon.listen(params, (data) => this.alive && tell(data))); }
  // Not while nobody looks: a page in the background neither costs anything nor keeps a session alive.
  every(ms, act) {
    const timer = setInterval(() => { if (!document.hidden && daemon.state === 'open') act(); }, ms);
    this.#endings.push(() => clearInterval(timer));
  }
  onBack(act) {
    const look = () => { if (daemon.state === 'open') act(); };
    daemon.addEventListener('state', look);
    this.#endings.push(() => daemon.removeEventListener('state', look));
  }
  end() {
    this.alive = false;
    for (const ending of this.#endings) ending();
  }
}

let page = null;
let shownRoute = null;

function route() {
  const [name, ...parameters] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return {name: name || 'overview', parameters};
}

function showRoute() {
  let {name, parameters} = route();
  if (name !== 'login' && daemon.state === 'signed_out') [name, parameters] = ['login', []];
  if (name === 'more') return showMore();
  const module = PAGES[name];
  if (!module) {
    open('Not here', (at) => at.show(h('p', 'There is no such page. ', h('a', {href: '#/overview'}, 'Go to the overview'), '.')), parameters, name);
    return;
  }
  open(module.title, module.show, parameters, name);
}

function showMore() {
  open('More', (at) => at.show(
    NAVIGATION.map(([group, names]) => h('section', h('h2', group), h('ul', {class: 'more'}, names.filter((name) => !ON_PHONES.includes(name)).map((name) =>
      h('li', h('a', {href: `#/${name}`}, icon(name), PAGES[name].title)))))),
    h('p', h('button', {type: 'button', class: 'quiet', onclick: signOut}, 'Sign out'))), [], 'more');
}

async function open(title, show, parameters, name) {
  page?.end();
  page = new Page(byId('page'), parameters);
  page.show(h('p', {class: 'loading', 'aria-busy': 'true'}, 'Loading\u2026'));
  document.body.dataset.route = location.hash;
  const isFirst = shownRoute === null;
  shownRoute = name;
  byId('title').textContent = title;
  document.title = `${title} \u2013 ${byId('brand').textContent}`;
  markNavigation(name);
  // Readers of screens are taken to the new page's heading; at the first page the browser does it.
  if (!isFirst) {
    byId('title').focus({preventScroll: true});
    window.scrollTo(0, 0);
  }
  const mine = page;
  try {
    await show(mine);
  } catch (error) {
    if (mine.alive) mine.show(problem(error, () => showRoute()));
  }
}

// ---- Navigation ----------------------------------------------------------------------------------------

function drawNavigation() {
  const entry = (name, title = PAGES[name].title) => h('li',
    h('a', {href: `#/${name}`, 'data-page': name}, icon(name), h('span', title)));
  replace(byId('pages'),
    h('div', {class: 'groups wide-only'}, NAVIGATION.map(([group, names]) => {
      const id = `group-${names[0]}`;
      return h('div', h('p', {class: 'group', id}, group), h('ul', {'aria-labelledby': id}, names.map((name) => entry(name))));
    })),
    h('ul', {class: 'phone-only'}, ON_PHONES.map((name) => entry(name)), entry('more', 'More')),
    h('button', {type: 'button', class: 'quiet sign-out', onclick: signOut}, 'Sign out'));
}

function markNavigation(name) {
  for (const link of byId('pages').querySelectorAll('a')) {
    const isBehindMore = link.dataset.page === 'more' && !ON_PHONES.includes(name);
    if (link.dataset.page === name || isBehindMore) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

// ---- What everybody is told ---------------------------------------------------------------------------

const WORDS = {connecting: 'Connecting\u2026', open: '', away: 'The daemon is away. Trying again\u2026', signed_out: ''};

async function nameBrand() {
  try {
    const organization = await state.organization();
    const name = organization?.name ?? 'Leither';
    byId('brand').textContent = name;
    document.title = `${byId('title').textContent} \u2013 ${name}`;
  } catch { /* the page says what is wrong */ }
}

// A choice among the daemon's organizations, where there are several.
async function drawPlaces() {
  const all = await call('place.list').catch(() => []);
  const places = all.filter((place) => place.state === 'serving' || place.name === PLACE);
  const choose = (event) => {
    const name = event.target.value;
    location.href = `/${name && `?org=${name}`}#/overview`;
  };
  replace(byId('places'), places.length < 2 ? [] : h('select', {'aria-label': 'Organization', onchange: choose},
    places.map((place) => h('option', {value: place.name, selected: place.name === PLACE},
      place.organization?.name || place.name || 'First organization'))));
}

let lastState = null;
function onState() {
  const now = daemon.state;
  byId('connection').textContent = WORDS[now];
  document.body.dataset.connection = now;
  byId('pages').hidden = now === 'signed_out';
  if (now === 'signed_out') replace(byId('places'));
  if (now === 'signed_out' && route().name !== 'login') showRoute();
  if (now === 'open') {
    state.forgetOrganization();
    nameBrand();
    drawPlaces();
    if (lastState === 'signed_out' || lastState === null || lastState === 'connecting') {
      if (route().name === 'login') location.hash = '#/overview';
      else if (shownRoute === null || shownRoute === 'login' || lastState === 'signed_out') showRoute();
    }
  }
  lastState = now;
}

byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('main').focus();
});
drawNavigation();
window.addEventListener('organization', nameBrand);  // joined or founded just now
window.addEventListener('hashchange', showRoute);
daemon.addEventListener('state', onState);
if (route().name !== 'login') daemon.connect();
showRoute();
