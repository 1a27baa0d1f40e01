// Drawings, each with words beside it for those who do not see it.
import {svg} from './dom.js';

// Where ids stand on the circle of all ids: by their first 32 bits.
export const turnOf = (id) => parseInt(id.slice(0, 8), 16) / 2 ** 32;

function at(turn, radius) {
  const angle = turn * 2 * Math.PI - Math.PI / 2;
  return [Math.cos(angle) * radius, Math.sin(angle) * radius];
}
const round = (number) => Math.round(number * 100) / 100;

// `own`: this node's id; `peers`: [{id, label, direction}]; `selected(peer)` when one is chosen.
export function idCircle(own, peers, selected) {
  const RADIUS = 100;
  const marks = ['0', '4', '8', 'c'].map((digit, index) => {
    const [x, y] = at(index / 4, RADIUS + 16);
    return svg('text', {x: round(x), y: round(y), class: 'mark'}, `${digit}\u2026`);
  });
  const ticks = Array.from({length: 16}, (_, index) => {
    const [x1, y1] = at(index / 16, RADIUS - 4);
    const [x2, y2] = at(index / 16, RADIUS + 4);
    return svg('line', {x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), class: 'tick'});
  });
  const [ox, oy] = at(turnOf(own), RADIUS);
  const threads = peers.map((peer) => {
    const [x, y] = at(turnOf(peer.id), RADIUS);
    return svg('path', {class: `thread ${peer.direction}`, d: `M${round(ox)} ${round(oy)}Q0 0 ${round(x)} ${round(y)}`});
  });
  const dots = peers.map((peer) => {
    const [cx, cy] = at(turnOf(peer.id), RADIUS);
    return svg('circle', {class: `peer ${peer.direction}`, cx: round(cx), cy: round(cy), r: 6, onclick: () => selected(peer)},
      svg('title', peer.label));
  });
  return svg('svg', {class: 'circle', viewBox: '-130 -130 260 260', role: 'img',
                     'aria-label': `This node and its ${peers.length} peers on the circle of ids; the table below says the same`},
    svg('circle', {class: 'ring', cx: 0, cy: 0, r: RADIUS}), ticks, marks, threads,
    svg('circle', {class: 'own', cx: round(ox), cy: round(oy), r: 8}, svg('title', 'This node')), dots);
}

// Bars of `values`, the newest at the right; `label` says them in words.
export function bars(values, label) {
  const WIDTH = 600;
  const HEIGHT = 96;
  const step = WIDTH / values.length;
  const top = Math.max(1, ...values);
  return svg('svg', {class: 'bars', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label, preserveAspectRatio: 'none'},
    svg('line', {x1: 0, y1: HEIGHT - 1, x2: WIDTH, y2: HEIGHT - 1, class: 'floor'}),
    values.map((value, index) => {
      const height = value === 0 ? 3 : 8 + (HEIGHT - 12) * value / top;
      return svg('rect', {class: value === 0 ? 'idle' : 'block', x: round(index * step + step * 0.15), y: round(HEIGHT - 1 - height),
                          width: round(step * 0.7), height: round(height), rx: 1});
    }));
}

// Yes from the left, no from the right, of all members; a mark where there is yes enough.
export function ballotBar(yes, no, members, needed, label) {
  const part = (count) => round(100 * Math.min(1, count / Math.max(1, members)));
  return svg('svg', {class: 'gauge ballots-bar', viewBox: '0 0 100 8', role: 'img', 'aria-label': label, preserveAspectRatio: 'none'},
    svg('rect', {class: 'track', x: 0, y: 2, width: 100, height: 4}),
    svg('rect', {class: 'fill', x: 0, y: 2, width: part(yes), height: 4}),
    svg('rect', {class: 'against', x: 100 - part(no), y: 2, width: part(no), height: 4}),
    svg('rect', {class: 'needed', x: Math.min(99.5, part(needed)), y: 0, width: 0.5, height: 8}));
}

// How much of `whole` is `part`, as a bar. Words stand beside it.
export function gauge(part, whole, label) {
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  return svg('svg', {class: 'gauge', viewBox: '0 0 100 4', role: 'img', 'aria-label': label, preserveAspectRatio: 'none'},
    svg('rect', {class: 'track', x: 0, y: 0, width: 100, height: 4}),
    svg('rect', {class: 'fill', x: 0, y: 0, width: round(100 * share), height: 4}));
}

// A QR code of `code.size` modules a side with the quiet zone that readers want.
export function qrPicture(code, label) {
  const QUIET = 4;
  const side = code.size + 2 * QUIET;
  let path = '';
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (code.isDark(x, y)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
    }
  }
  return svg('svg', {class: 'qr', viewBox: `0 0 ${side} ${side}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges'},
    svg('rect', {width: side, height: side, class: 'paper'}), svg('path', {d: path, class: 'ink'}));
}
