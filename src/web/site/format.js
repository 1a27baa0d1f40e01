// Numbers and times for people. Amounts are decimal strings of smallest units and stay whole numbers
// (BigInt): they never pass through floating point.

const THIN = '\u202f';  // between groups of three digits; does not break
const MINUS = '\u2212';

export function groupDigits(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, THIN);
}

// '1250', 2 -> '12.50'
export function amountText(units, decimals) {
  const value = BigInt(units);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = groupDigits(digits.slice(0, digits.length - decimals));
  const part = decimals > 0 ? '.' + digits.slice(digits.length - decimals) : '';
  return (value < 0n ? MINUS : '') + whole + part;
}

export const AMOUNT_MAX = (1n << 63n) - 1n;

// '12.5', 2 -> '1250'. Throws an Error that says what to write instead.
export function parseAmount(text, decimals) {
  const plain = text.trim().replaceAll(THIN, '').replaceAll(' ', '').replace(',', '.');
  const found = /^(\d+)(?:\.(\d*))?$/.exec(plain);
  if (!found) throw new Error('Write an amount such as 12.50.');
  const part = found[2] ?? '';
  if (part.length > decimals) {
    throw new Error(decimals === 0 ? 'This unit has no decimals: write a whole number.'
      : `At most ${decimals} ${decimals === 1 ? 'digit' : 'digits'} may stand behind the point.`);
  }
  const units = BigInt(found[1] + part.padEnd(decimals, '0'));
  if (units === 0n) throw new Error('The amount must be more than zero.');
  if (units > AMOUNT_MAX) throw new Error('The amount is larger than any there can be.');
  return units.toString();
}

// Amounts as a command line takes them: no groups.
export const plainAmount = (units, decimals) => amountText(units, decimals).replaceAll(THIN, '');

export const sumOf = (amounts) => amounts.reduce((sum, units) => sum + BigInt(units), 0n).toString();

// Of what is counted.
export const countText = (count) => groupDigits(String(count));

export const shortId = (id) => id.length > 12 ? `${id.slice(0, 4)}\u2026${id.slice(-4)}` : id;

export const countOf = (count, one, many = one + 's') => `${groupDigits(String(count))} ${Number(count) === 1 ? one : many}`;

export function bytesText(bytes) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const SPANS = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];

export function durationText(seconds) {
  for (const [size, word] of SPANS) {
    if (seconds >= 2 * size || (seconds >= size && size === 1)) return countOf(Math.floor(seconds / size), word);
  }
  return seconds >= 1 ? '1 second' : 'a moment';
}

export function agoText(ms, now = Date.now()) {
  const seconds = (now - ms) / 1000;
  if (Math.abs(seconds) < 5) return 'just now';
  return seconds < 0 ? `in ${durationText(-seconds)}` : `${durationText(seconds)} ago`;
}

const DATE = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short'});
const CLOCK = new Intl.DateTimeFormat(undefined, {timeStyle: 'short'});
export const dateText = (ms) => DATE.format(ms);
export const clockText = (ms) => CLOCK.format(ms);

// As receipts have it: '2026-01-31 12:00:00 UTC'.
export const utcText = (ms) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
