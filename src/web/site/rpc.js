// The daemon: one WebSocket for calls and events. It comes back by itself when it was lost, with all
// that was subscribed to; calls on their way are refused then, since nobody knows whether they were
// carried out.

// Which of the daemon's organizations this page is of; '' is the first.
export const PLACE = new URLSearchParams(location.search).get('org') ?? '';

const KEY_NAME = 'leither.key';
const PATIENCE_MS = 60_000;
const WAIT_FOR_DAEMON_MS = 8_000;
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 8_000;

export class CallError extends Error {
  constructor(name, message, code = 0, data = {}) {
    super(message);
    this.name = name;
    this.code = code;
    this.data = data;
  }
  get isUnknownMethod() { return this.code === -32601; }
}

const away = () => new CallError('away', 'The daemon does not answer. Is leitherd running? This page goes on by itself once it is back.');

// Kept by origin, port included, unlike cookies; worth nothing without the cookie.
let keyInMemory = null;
function storedKey() {
  try { return localStorage.getItem(KEY_NAME); } catch { return keyInMemory; }
}
function storeKey(key) {
  keyInMemory = key;
  try {
    if (key === null) localStorage.removeItem(KEY_NAME);
    else localStorage.setItem(KEY_NAME, key);
  } catch { /* private windows may refuse; memory does until the page is left */ }
}

async function isSignedIn() {
  const key = storedKey();
  if (key === null) return false;
  const answer = await fetch('/session', {headers: {Authorization: `Session ${key}`}});
  return (await answer.json()).signed_in === true;
}

// `scheme` is 'Link' with a token or 'Bearer' with the cookie file's content.
export async function signIn(scheme, secret) {
  let answer;
  try {
    answer = await fetch('/session', {method: 'POST', headers: {Authorization: `${scheme} ${secret}`}});
  } catch {
    throw away();
  }
  if (!answer.ok) throw new CallError('not_admitted', (await answer.text()).trim());
  storeKey((await answer.json()).key);
  daemon.reconnect();
}

export async function signOut() {
  const key = storedKey();
  storeKey(null);
  if (key !== null) {
    await fetch('/session/end', {method: 'POST', headers: {Authorization: `Session ${key}`}}).catch(() => {});
  }
  daemon.reconnect();
}

class Daemon extends EventTarget {
  #state = 'connecting';  // 'open', 'away', 'signed_out'
  #socket = null;
  #calls = new Map();
  #lastId = 0;
  #topics = new Set();
  #pause = PAUSE_MS_MIN;
  #timer = null;
  #attempt = 0;

  get state() { return this.#state; }

  #enter(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new Event('state'));
  }

  reconnect() {
    this.#drop();
    this.#pause = PAUSE_MS_MIN;
    this.#enter('connecting');
    this.connect();
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#attempt++;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.close();
    for (const call of this.#calls.values()) call.fail(away());
    this.#calls.clear();
  }

  async connect() {
    const attempt = ++this.#attempt;
    try {
      if (!await isSignedIn()) {
        if (attempt === this.#attempt) this.#enter('signed_out');
        return;
      }
    } catch {
      if (attempt === this.#attempt) this.#retry();
      return;
    }
    if (attempt !== this.#attempt) return;
    const socket = new WebSocket(`ws://${location.host}/rpc${PLACE && `/${encodeURIComponent(PLACE)}`}`, ['leither.rpc', `leither.key.${storedKey()}`]);
    this.#socket = socket;
    socket.addEventListener('open', () => this.#onOpen(socket));
    socket.addEventListener('message', (event) => this.#onText(socket, event.data));
    socket.addEventListener('close', () => {
      if (socket !== this.#socket) return;
      this.#drop();
      this.#retry();
    });
  }

  #retry() {
    this.#enter('away');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, PAUSE_MS_MAX);
  }

  #onOpen(socket) {
    if (socket !== this.#socket) return;
    this.#pause = PAUSE_MS_MIN;
    for (const topic of this.#topics) this.#subscribe(topic);
    this.#enter('open');
  }

  #onText(socket, text) {
    if (socket !== this.#socket) return;
    const message = JSON.parse(text);
    if (message.method === 'event') {
      const {subscription, data} = message.params;
      for (const topic of this.#topics) if (topic.number === subscription) topic.tell(data);
      return;
    }
    if (message.error?.data?.name === 'session_ended') {
      storeKey(null);
      this.reconnect();
      return;
    }
    const call = this.#calls.get(message.id);
    if (!call) return;
    this.#calls.delete(message.id);
    const {error} = message;
    if (error) call.fail(new CallError(error.data?.name ?? `error ${error.code}`, error.message, error.code, error.data ?? {}));
    else call.done(message.result);
  }

  // The result of one call. Waits a little for a daemon that is away.
  async call(method, params = {}) {
    if (this.#state !== 'open') await this.#untilOpen();
    return this.#send(method, params);
  }

  #send(method, params) {
    if (!this.#socket || this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(away());
    const id = ++this.#lastId;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        fail(new CallError('timed_out', 'The daemon has not answered in a minute. Look at its log, on the node page.'));
      }, PATIENCE_MS);
      const settle = (act) => (value) => { clearTimeout(timer); act(value); };
      this.#calls.set(id, {done: settle(done), fail: settle(fail)});
      this.#socket.send(JSON.stringify({jsonrpc: '2.0', id, method, params}));
    });
  }

  #untilOpen() {
    return new Promise((done, fail) => {
      const end = (act) => {
        clearTimeout(timer);
        this.removeEventListener('state', look);
        act();
      };
      const look = () => {
        if (this.#state === 'open') end(done);
        if (this.#state === 'signed_out') end(() => fail(new CallError('signed_out', 'Sign in again.')));
      };
      const timer = setTimeout(() => end(() => fail(away())), WAIT_FOR_DAEMON_MS);
      this.addEventListener('state', look);
      look();
    });
  }

  // Calls `tell` with each event, also after the connection was lost and came back. Answers what ends it.
  listen(params, tell) {
    const topic = {params, tell, number: null};
    this.#topics.add(topic);
    if (this.#state === 'open') this.#subscribe(topic);
    return () => {
      this.#topics.delete(topic);
      if (topic.number !== null) this.#send('unsubscribe', {subscription: topic.number}).catch(() => {});
    };
  }

  #subscribe(topic) {
    topic.number = null;
    this.#send('subscribe', topic.params).then((answer) => {
      topic.number = answer.subscription;
      if (!this.#topics.has(topic)) this.#send('unsubscribe', {subscription: topic.number}).catch(() => {});
    }).catch(() => { /* no organization yet, or gone again: pages also ask now and then */ });
  }
}

export const daemon = new Daemon();
export const call = (method, params) => daemon.call(method, params);
