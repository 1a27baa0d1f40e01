// Elements from data. Text of others only ever becomes text nodes: nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';

// What could run or load something when it is set by name.
const FORBIDDEN = new Set(['style', 'srcdoc', 'innerHTML', 'outerHTML']);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (FORBIDDEN.has(name) || (name.startsWith('on') && typeof value !== 'function')) {
      throw new Error(`attribute ${name} is not set here`);
    }
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// h('a', {href: '#/pay', onclick: act}, 'Pay'): attributes may be left out.
export function h(tag, ...rest) {
  return build((name) => document.createElement(name), tag, rest);
}

export function svg(tag, ...rest) {
  return build((name) => document.createElementNS(SVG, name), tag, rest);
}

function build(create, tag, rest) {
  const [first] = rest;
  const plain = first !== null && typeof first === 'object' && !Array.isArray(first) && !(first instanceof Node);
  const attributes = plain ? first : {};
  return fill(create(tag), attributes, plain ? rest.slice(1) : rest);
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

let lastId = 0;
export const freshId = (word) => `${word}-${++lastId}`;
