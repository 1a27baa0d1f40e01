// QR codes (ISO/IEC 18004): a text in, a square of modules out. Versions 1 to 40, error correction L and M,
// numeric, alphanumeric and byte mode for the whole text. Tests read every version back with another
// program's decoder.

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

// By version, from 1: codewords of error correction in a block, and blocks (ISO/IEC 18004, table 9).
const LEVELS = {
  L: {
    format: 1,
    correction: [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
      28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    blocks: [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
      8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
  },
  M: {
    format: 0,
    correction: [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
      26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    blocks: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
      17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
  },
};

// ---- Bits of the text ---------------------------------------------------------------------------------

class Bits {
  list = [];
  put(value, width) {
    for (let bit = width - 1; bit >= 0; bit--) this.list.push(value >>> bit & 1);
  }
}

// Length fields grow with the version: up to 9, up to 26, above.
const sizeClass = (version) => version < 10 ? 0 : version < 27 ? 1 : 2;

const MODES = {
  numeric: {
    indicator: 1, lengthBits: [10, 12, 14], units: (text) => text.length,
    put(bits, text) {
      for (let i = 0; i < text.length; i += 3) {
        const part = text.slice(i, i + 3);
        bits.put(Number(part), 3 * part.length + 1);
      }
    },
  },
  alphanumeric: {
    indicator: 2, lengthBits: [9, 11, 13], units: (text) => text.length,
    put(bits, text) {
      for (let i = 0; i + 1 < text.length; i += 2) {
        bits.put(45 * ALPHANUMERIC.indexOf(text[i]) + ALPHANUMERIC.indexOf(text[i + 1]), 11);
      }
      if (text.length % 2) bits.put(ALPHANUMERIC.indexOf(text.at(-1)), 6);
    },
  },
  byte: {
    indicator: 4, lengthBits: [8, 16, 16], units: (text) => new TextEncoder().encode(text).length,
    put(bits, text) {
      for (const byte of new TextEncoder().encode(text)) bits.put(byte, 8);
    },
  },
};

function modeOf(text) {
  if (/^\d+$/.test(text)) return MODES.numeric;
  return [...text].every((char) => ALPHANUMERIC.includes(char)) ? MODES.alphanumeric : MODES.byte;
}

function bitsOf(text, mode, version) {
  const bits = new Bits();
  bits.put(mode.indicator, 4);
  bits.put(mode.units(text), mode.lengthBits[sizeClass(version)]);
  mode.put(bits, text);
  return bits;
}

// ---- Error correction: Reed-Solomon over GF(256) of x^8 + x^4 + x^3 + x^2 + 1 --------------------------

const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power++) {
  EXP[power] = EXP[power + 255] = value;
  LOG[value] = power;
  value = value << 1 ^ (value & 0x80 ? 0x11d : 0);
}
const multiply = (a, b) => a && b ? EXP[LOG[a] + LOG[b]] : 0;

// (x - 1)(x - a)...(x - a^(degree-1)) without its leading 1.
function generator(degree) {
  let factors = [1];
  for (let power = 0; power < degree; power++) {
    const next = [...factors, 0];
    factors.forEach((factor, i) => { next[i + 1] ^= multiply(factor, EXP[power]); });
    factors = next;
  }
  return factors.slice(1);
}

function remainder(data, factors) {
  const rest = new Array(factors.length).fill(0);
  for (const byte of data) {
    const lead = byte ^ rest.shift();
    rest.push(0);
    factors.forEach((factor, i) => { rest[i] ^= multiply(factor, lead); });
  }
  return rest;
}

// ---- Capacity -------------------------------------------------------------------------------------------

const sideOf = (version) => 17 + 4 * version;

function alignmentCentres(version) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  // Even steps from the far end; version 32 is the table's exception.
  const step = version === 32 ? 26 : Math.ceil((sideOf(version) - 13) / (2 * count - 2)) * 2;
  const centres = [6];
  for (let i = count - 2; i >= 0; i--) centres.push(sideOf(version) - 7 - i * step);
  return centres;
}

function rawModules(version) {
  const side = sideOf(version);
  let modules = side * side - 3 * 64 - 2 * (side - 16) - 31;  // finders, timing, formats and the dark one
  const count = alignmentCentres(version).length;
  if (count > 0) modules -= 25 * (count * count - 3) - 10 * (count - 2);
  if (version >= 7) modules -= 36;
  return modules;
}

function dataCodewords(version, level) {
  const {correction, blocks} = LEVELS[level];
  return Math.floor(rawModules(version) / 8) - correction[version - 1] * blocks[version - 1];
}

// ---- From text to codewords --------------------------------------------------------------------------------

function codewordsOf(bits, version, level) {
  const capacity = 8 * dataCodewords(version, level);
  bits.put(0, Math.min(4, capacity - bits.list.length));
  bits.put(0, (8 - bits.list.length % 8) % 8);
  for (let pad = 0xec; bits.list.length < capacity; pad ^= 0xec ^ 0x11) bits.put(pad, 8);
  const bytes = [];
  for (let i = 0; i < bits.list.length; i += 8) bytes.push(parseInt(bits.list.slice(i, i + 8).join(''), 2));
  return interleaved(bytes, version, level);
}

function interleaved(bytes, version, level) {
  const blockCount = LEVELS[level].blocks[version - 1];
  const factors = generator(LEVELS[level].correction[version - 1]);
  const shortLength = Math.floor(bytes.length / blockCount);
  const shortCount = blockCount - bytes.length % blockCount;
  const blocks = [];
  for (let i = 0, begin = 0; i < blockCount; i++) {
    const length = shortLength + (i < shortCount ? 0 : 1);
    const data = bytes.slice(begin, begin += length);
    blocks.push({data, correction: remainder(data, factors)});
  }
  const out = [];
  for (let i = 0; i <= shortLength; i++) for (const block of blocks) if (i < block.data.length) out.push(block.data[i]);
  for (let i = 0; i < factors.length; i++) for (const block of blocks) out.push(block.correction[i]);
  return out;
}

// ---- The square -----------------------------------------------------------------------------------------------

class Square {
  constructor(version) {
    this.version = version;
    this.size = sideOf(version);
    this.dark = new Uint8Array(this.size * this.size);
    this.fixed = new Uint8Array(this.size * this.size);  // of patterns, not of data
  }
  isDark(x, y) { return this.dark[y * this.size + x] === 1; }
  set(x, y, isDark) { this.dark[y * this.size + x] = isDark ? 1 : 0; }
  fix(x, y, isDark) {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
    this.set(x, y, isDark);
    this.fixed[y * this.size + x] = 1;
  }

  drawPatterns() {
    for (let i = 0; i < this.size; i++) {
      this.fix(6, i, i % 2 === 0);
      this.fix(i, 6, i % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [this.size - 4, 3], [3, this.size - 4]]) this.#rings(x, y, 4, [1, 1, 0, 1, 0]);
    const centres = alignmentCentres(this.version);
    const last = centres.length - 1;
    centres.forEach((x, i) => centres.forEach((y, j) => {
      const underFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
      if (!underFinder) this.#rings(x, y, 2, [1, 0, 1]);
    }));
    this.drawFormat('L', 0);  // reserves the place
    if (this.version >= 7) this.#drawVersion();
  }

  // Square rings around a centre; `shades` by distance.
  #rings(x, y, reach, shades) {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) this.fix(x + dx, y + dy, shades[Math.max(Math.abs(dx), Math.abs(dy))] === 1);
    }
  }

  drawFormat(level, mask) {
    const data = LEVELS[level].format << 3 | mask;
    const bits = (data << 10 | checkBits(data, 0x537, 10)) ^ 0x5412;
    const bit = (i) => (bits >>> i & 1) === 1;
    const end = this.size - 1;
    for (let i = 0; i < 6; i++) this.fix(8, i, bit(i));
    this.fix(8, 7, bit(6));
    this.fix(8, 8, bit(7));
    this.fix(7, 8, bit(8));
    for (let i = 9; i < 15; i++) this.fix(14 - i, 8, bit(i));
    for (let i = 0; i < 8; i++) this.fix(end - i, 8, bit(i));
    for (let i = 8; i < 15; i++) this.fix(8, end - 14 + i, bit(i));
    this.fix(8, end - 7, true);
  }

  #drawVersion() {
    const bits = this.version << 12 | checkBits(this.version, 0x1f25, 12);
    for (let i = 0; i < 18; i++) {
      const near = Math.floor(i / 3);
      const far = this.size - 11 + i % 3;
      const isDark = (bits >>> i & 1) === 1;
      this.fix(far, near, isDark);
      this.fix(near, far, isDark);
    }
  }

  // Two columns at a time from the right, up and down in turn, around the column of the timing pattern.
  drawData(codewords) {
    let next = 0;
    let upwards = true;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      for (let step = 0; step < this.size; step++) {
        const y = upwards ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.fixed[y * this.size + x]) continue;
          const byte = codewords[next >>> 3];  // behind the last: modules that stay light
          this.set(x, y, byte !== undefined && (byte >>> 7 - (next & 7) & 1) === 1);
          next++;
        }
      }
      upwards = !upwards;
    }
  }

  toggle(mask) {
    const isToggled = MASKS[mask];
    for (let y = 0; y < this.size; y++) {
      for (let x = 0; x < this.size; x++) {
        const at = y * this.size + x;
        if (!this.fixed[at] && isToggled(x, y)) this.dark[at] ^= 1;
      }
    }
  }

  // How hard it is to read, as the standard counts: runs, squares, what looks like a finder, imbalance.
  penalty() {
    let points = 0;
    let darkCount = 0;
    for (let i = 0; i < this.size; i++) {
      let row = '';
      let column = '';
      for (let j = 0; j < this.size; j++) {
        row += this.dark[i * this.size + j];
        column += this.dark[j * this.size + i];
        darkCount += this.dark[i * this.size + j];
      }
      points += linePenalty(row) + linePenalty(column);
    }
    for (let y = 1; y < this.size; y++) {
      for (let x = 1; x < this.size; x++) {
        const shade = this.isDark(x, y);
        if (shade === this.isDark(x - 1, y) && shade === this.isDark(x, y - 1) && shade === this.isDark(x - 1, y - 1)) points += 3;
      }
    }
    const total = this.size * this.size;
    return points + 10 * Math.floor(Math.abs(20 * darkCount - 10 * total) / total);
  }
}

function linePenalty(line) {
  let points = 0;
  for (const run of line.match(/0{5,}|1{5,}/g) ?? []) points += run.length - 2;
  for (const pattern of ['00001011101', '10111010000']) {
    for (let at = line.indexOf(pattern); at >= 0; at = line.indexOf(pattern, at + 1)) points += 40;
  }
  return points;
}

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => x * y % 2 + x * y % 3 === 0,
  (x, y) => (x * y % 2 + x * y % 3) % 2 === 0,
  (x, y) => ((x + y) % 2 + x * y % 3) % 2 === 0,
];

// The remainder of a BCH code.
function checkBits(data, polynomial, width) {
  let rest = data;
  for (let i = 0; i < width; i++) rest = rest << 1 ^ (rest >>> width - 1) * polynomial;
  return rest & (1 << width) - 1;
}

// The smallest square that holds `text`: {size, version, isDark(x, y)}. Null if none does.
export function encode(text, level = 'M', versionMin = 1) {
  const mode = modeOf(text);
  for (let version = versionMin; version <= 40; version++) {
    const bits = bitsOf(text, mode, version);
    const fits = bits.list.length <= 8 * dataCodewords(version, level) && mode.units(text) < 2 ** mode.lengthBits[sizeClass(version)];
    if (fits) return draw(codewordsOf(bits, version, level), version, level);
  }
  return null;
}

function draw(codewords, version, level) {
  const square = new Square(version);
  square.drawPatterns();
  square.drawData(codewords);
  let best = 0;
  let least = Infinity;
  for (let mask = 0; mask < 8; mask++) {
    square.toggle(mask);
    square.drawFormat(level, mask);
    const penalty = square.penalty();
    if (penalty < least) [best, least] = [mask, penalty];
    square.toggle(mask);
  }
  square.toggle(best);
  square.drawFormat(level, best);
  return square;
}
