// What several pages need to know, asked for once in a while.
import {call} from './rpc.js';
import {amountText, shortId} from './format.js';

const WATCHED = 'leither.watched';
const CHOSEN = 'leither.account';

let info = null;      // organization.info
let manifest = null;  // of the organization that is followed, where there is no ledger yet
let names = new Map();

// The organization that this node keeps; null if there is none yet.
export async function organization() {
  if (info) return info;
  try {
    info = await call('organization.info');
  } catch (error) {
    if (error.name !== 'no_organization') throw error;
  }
  return info;
}
export function forgetOrganization() {
  info = null;
}

// The organization that this node takes part in, also as a guest who keeps no ledger: as in node.status,
// or null.
export async function followed() {
  const followed = (await call('node.status')).network?.organization ?? null;
  manifest = followed?.manifest ?? null;
  return followed;
}

// Of the organization that was asked for last.
export const decimals = () => info?.decimals ?? manifest?.decimals ?? 0;
export const unit = () => info?.unit ?? manifest?.unit ?? '';
export const money = (units) => `${amountText(units, decimals())} ${unit()}`;

// {usable, reason: null | 'missing' | 'disabled' | 'locked', accounts, ...}: whether this daemon can sign.
export async function wallet() {
  await organization();
  let status;
  try {
    status = await call('wallet.status');
  } catch (error) {
    if (!error.isUnknownMethod) throw error;
    return {usable: false, reason: 'missing', accounts: []};
  }
  if (!status.enabled) return {usable: false, reason: 'disabled', accounts: []};
  // The organization's key signs its charter and manifest; its account is the treasury, which is nobody's.
  const accounts = (status.accounts ?? []).filter((one) => one.account !== info?.id);
  await learnNames(accounts);
  return {...status, accounts, usable: !status.locked, reason: status.locked ? 'locked' : null};
}

// What the owner calls other people's accounts: [{account, name}].
let contacts = [];
export const contactList = () => contacts;

async function learnNames(own) {
  try {
    ({contacts} = await call('wallet.contacts'));
  } catch (error) {
    if (!error.isUnknownMethod && error.name !== 'bad_contacts') throw error;
    contacts = [];
  }
  names = new Map([...contacts, ...own].map((one) => [one.account, one.name]));
}
export const nameContact = (account, name) => call('wallet.set_contact', name ? {account, name} : {account});

function read(name, otherwise) {
  try { return JSON.parse(localStorage.getItem(name)) ?? otherwise; } catch { return otherwise; }
}
function write(name, value) {
  try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* then it lasts as long as the page */ }
}

export const watched = () => read(WATCHED, []).filter((id) => typeof id === 'string' && /^[0-9a-f]{40}$/.test(id));
export function watch(id) { write(WATCHED, [...new Set([...watched(), id])]); }
export function unwatch(id) { write(WATCHED, watched().filter((one) => one !== id)); }

async function servedHere() {
  const status = await call('node.status');
  return (status.network?.organization?.accounts ?? []).map((one) => one.account);
}
async function keptHere() {
  if (!await organization()) return [];
  return (await call('receipt.list', {limit: 1})).accounts.map((one) => one.account);
}

// The accounts of this node's user: [{account, name, member, role, balance}]. Those of the wallet; of a
// daemon without one those it serves or keeps receipts for, and those the user has named.
export async function accounts() {
  const own = await wallet();
  const list = own.accounts.map((one) => ({...one, own: true}));
  const known = new Set(list.map((one) => one.account));
  const others = own.accounts.length > 0 ? watched() : [...watched(), ...await servedHere(), ...await keptHere()];
  for (const account of new Set(others)) {
    if (known.has(account)) continue;
    const {record} = info ? await call('account.get', {account}) : {record: null};
    list.push({account, name: shortId(account), member: record?.kind === 'member', own: false,
               role: record?.role ?? null, balance: record?.balance ?? null});
  }
  return list;
}

// The one that forms and lists begin with.
export function chosen(list) {
  const id = read(CHOSEN, null);
  return list.find((one) => one.account === id) ?? list.find((one) => one.member) ?? list[0] ?? null;
}
export function choose(id) { write(CHOSEN, id); }

// What people call an account.
export function nameOf(id) {
  if (names.has(id)) return names.get(id);
  if (info && id === info.id) return 'the treasury';
  return shortId(id);
}
