// The machine behind it all.
import {h, replace} from '../dom.js';
import {call} from '../rpc.js';
import {bytesText, clockText, countOf, countText, durationText, shortId} from '../format.js';
import {badge, card, copyButton, empty, facts, live, table, when, who} from '../parts.js';
import {bars, gauge, idCircle} from '../charts.js';
import {health} from './overview.js';
import * as state from '../state.js';

export const title = 'Node';

const PULSES = 60;
const LOG_LINES = 100;

export function show(page) {
  page.show(
    live(page, {load: loadStatus, draw: drawStatus, every: 10_000}),
    card('Pulse', pulseChart(page)),
    live(page, {load: loadOffice, draw: drawOffice, topics: [{topic: 'block'}]}),
    live(page, {load: loadPeers, draw: drawPeers, every: 5_000}),
    live(page, {load: () => call('node.machine'), draw: drawMachine, every: 10_000}),
    card('Log', h('p', {class: 'hint'}, 'The newest lines that are in memory. How much is logged says log.level.'),
      live(page, {load: () => call('node.logs', {limit: LOG_LINES}), draw: drawLog, every: 3_000})));
}

// ---- Standing ------------------------------------------------------------------------------------------------

async function loadStatus() {
  const {uptime_s, pulse, ...status} = await call('node.status');
  return {...status, uptime: durationText(uptime_s)};
}

function drawStatus(status) {
  const {network, organization} = status;
  return card('Standing', health(status), facts([
    ['Version', status.version],
    ['Up', status.uptime],
    ['Node key', h('span', {class: 'copyable'}, h('code', shortId(status.node_key)), copyButton(status.node_key, 'Copy the node key'))],
    organization && ['Secured up to', `block ${countText(organization.final_sequence)} of ${countText(organization.sequence)}`],
    organization?.checkpoint.newest && ['Checkpoint', h('span', {class: 'copyable'}, h('code', shortId(organization.checkpoint.newest.block)), copyButton(organization.checkpoint.newest.name, 'Copy the checkpoint'))],
    network && ['Reachable', network.reachability],
    network && ['Addresses', network.addresses || 'none known'],
    network && ['Router', network.ports],
    network && ['DHT', network.dht.ready ? `${countOf(network.dht.nodes_v4 + network.dht.nodes_v6, 'node')} known, ${network.dht.role}` : 'not ready'],
  ]));
}

// ---- Pulse --------------------------------------------------------------------------------------------------------

// Each second a pulse; a bar for those with a block, as high as it had transactions.
function pulseChart(page) {
  const counts = new Map();
  let last = null;
  const box = h('div', {class: 'pulses'}, h('p', {class: 'hint'}, 'Listening\u2026'));
  const drawAll = () => {
    if (last === null) return;
    const values = Array.from({length: PULSES}, (_, index) => counts.get(last - PULSES + 1 + index) ?? 0);
    const blocks = values.filter((value) => value > 0).length;
    const words = `Pulse ${countText(last)}. In the last ${PULSES} pulses ${countOf(blocks, 'block')} with ${countOf(values.reduce((a, b) => a + b, 0), 'transaction')}.`;
    replace(box, bars(values, words), h('p', {class: 'hint tabular'}, words));
  };
  page.listen({topic: 'pulse'}, ({pulse}) => {
    last = pulse;
    for (const old of counts.keys()) if (old < pulse - 2 * PULSES) counts.delete(old);
    drawAll();
  });
  page.listen({topic: 'block'}, ({pulse, transaction_count: count}) => { counts.set(pulse, count); drawAll(); });
  loadBlocks(counts).then((pulse) => { last ??= pulse; drawAll(); }).catch(() => {
    if (last === null) replace(box, h('p', {class: 'hint'}, 'There are no pulses before there is an organization.'));
  });
  return box;
}

async function loadBlocks(counts) {
  const {pulse, organization} = await call('node.status');
  if (!organization) throw new Error('no organization');
  for (let sequence = organization.sequence; sequence > 0 && sequence >= organization.oldest_sequence; sequence--) {
    const block = await call('block.get', {sequence, detail: 'none'});
    if (block.pulse < pulse - PULSES) break;
    counts.set(block.pulse, block.transaction_count);
  }
  return pulse;
}

// ---- Committee ---------------------------------------------------------------------------------------------------

async function loadOffice() {
  if (!await state.organization()) return null;
  const {pulse, ...office} = await call('office.status');
  return {...office, cyclePart: Math.floor(100 * (pulse - office.first_pulse) / Math.max(1, office.end_pulse - office.first_pulse))};
}

const SILENCE = {no_seat: 'it has no seat in this term', log: 'its vote log forbids it', clock: 'its clock is not trusted', yielded: 'it has yielded to a takeover'};

function drawOffice(office) {
  if (!office) return null;
  const seat = (isPresent) => ({member, node_key: key}) => h('li', who(member), key === office.node_key ? badge('this node') : null,
    isPresent && office.author?.node_key === key ? badge('newest block', 'plain') : null);
  return card('Committee and cycle',
    h('p', `Cycle ${office.cycle}, ${Math.max(0, Math.min(100, office.cyclePart))} % over.`),
    gauge(office.cyclePart, 100, `${office.cyclePart} of 100 of this cycle are over`),
    h('h3', 'Keeps the books now'), h('ul', {class: 'seats'}, office.present.map(seat(true))),
    h('h3', 'Next'), office.next.seats.length === 0 ? h('p', {class: 'hint'}, 'As now: no other candidates were drawn.') : h('ul', {class: 'seats'}, office.next.seats.map(seat(false))),
    facts([
      ['Candidates', String(office.candidates.length)],
      ['This node', office.silence === 'none' ? `votes from seat ${office.seat}` : `does not vote: ${SILENCE[office.silence] ?? office.silence}`],
      office.vote_keys !== 'fitting' && ['Vote keys', `${office.vote_keys}: see leither committee`],
    ]));
}

// ---- Peers --------------------------------------------------------------------------------------------------------

async function loadPeers() {
  const status = await call('node.status');
  if (!status.network) return {network: false};
  return {network: true, own: status.network.dht.id, peers: await call('network.peers')};
}

function drawPeers({network, own, peers}) {
  if (!network) return card('Peers', empty('This node takes no part in the network.', 'network.enabled is false in its configuration.'));
  if (peers.length === 0) return card('Peers', empty('No connections.', 'They come by themselves once this node knows an address: dht.bootstrap, or leither node connect HOST:PORT.'));
  const detail = h('p', {class: 'hint', 'aria-live': 'polite'}, 'Ids go round the circle, from 0 at the top. Filled is this node; it dialed the solid ones, the dashed ones dialed it. Choose one to see who it is.');
  const marked = peers.map((peer) => ({id: peer.node, direction: peer.direction, label: `${shortId(peer.node)}, ${peer.endpoint}`, peer}));
  return card(countOf(peers.length, 'peer'),
    h('div', {class: 'map'}, idCircle(own, marked, ({label}) => { detail.textContent = label; }), detail),
    table('Peers', [
      {title: 'Node', cell: (peer) => h('code', {title: peer.node}, shortId(peer.node))},
      {title: 'How', cell: (peer) => peer.direction},
      {title: 'Address', cell: (peer) => h('code', peer.endpoint)},
      {title: 'Since', cell: (peer) => when(peer.since_ms)},
      {title: 'In', right: true, cell: (peer) => bytesText(peer.bytes_in)},
      {title: 'Out', right: true, cell: (peer) => bytesText(peer.bytes_out)},
      {title: 'Score', right: true, cell: (peer) => String(peer.score)},
    ], peers));
}

// ---- Machine --------------------------------------------------------------------------------------------------------

function drawMachine(machine) {
  const {disk, month} = machine;
  const cap = (bytes) => bytes === 0 ? 'without limit' : `at most ${bytesText(bytes)}/s`;
  return card('Disk and traffic',
    disk && [h('p', `The node keeps ${bytesText(disk.used_bytes)}. ${bytesText(disk.free_bytes)} of ${bytesText(disk.total_bytes)} are free.`),
      gauge(disk.total_bytes - disk.free_bytes, disk.total_bytes, 'How full the disk is')],
    facts([
      ['Memory', bytesText(machine.resident_bytes)],
      ['Processor', durationText(machine.cpu_ms / 1000)],
      month && ['Sent, this month', bytesText(month.up_bytes)],
      month && ['Received', bytesText(month.down_bytes)],
      month && ['Upload', cap(month.upload_max)],
      month && ['Download', cap(month.download_max)],
      month && month.month_bytes_max > 0 && ['Of the month\u2019s', bytesText(month.month_bytes_max)],
    ]));
}

// ---- Log --------------------------------------------------------------------------------------------------------------

function drawLog(lines) {
  if (lines.length === 0) return empty('Nothing has been logged.');
  return h('ol', {class: 'log', tabindex: '0', 'aria-label': 'Log lines, newest first'}, [...lines].reverse().map((line) =>
    h('li', {class: line.level}, h('time', {datetime: new Date(line.time_ms).toISOString()}, clockText(line.time_ms)), ' ',
      h('span', {class: 'level'}, line.level), ' ', h('span', {class: 'room'}, line.room), ' ', h('strong', line.event), ' ', line.fields)));
}
