// The runtime of compiled templates (static/build/templates.js, made by
// pwa/bundle/template_compiler). Invariant: the same bytes as Jinja, or an exception; never
// something merely similar. Undefined names, null, floats, loops over objects, letters counted or
// compared throw: there Python and JavaScript would differ without anybody noticing.

/** @typedef {Record<string|symbol, any>} Context names of a template and their values */
/** @typedef {Record<string, (c: Context, blocks: any) => string>} Blocks */
/**
 * @typedef {{root: (c: Context, blocks: any) => string, blocks: Blocks,
 *   parent: string|null}} Template
 */
/** @typedef {Record<string, Template>} Templates */
/** @typedef {(args: any[], named: Record<string, any>) => Markup} Macro */
/** @typedef {Pick<import('../i18n.js').I18n, 'gettext'|'ngettext'>} Words */

/** HTML that is safe as it stands. */
export class Markup {
  /** @param {string} text */
  constructor(text) {
    this.text = text
  }
}

/** @type {Record<string, string>} */
const ESCAPES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;'}
/** @param {string} text */
const escaped = text => text.replace(/[&<>'"]/g, sign => ESCAPES[sign])

/** @param {string} message @returns {never} */
function fail(message) {
  throw new TypeError(message)
}

/** A value as Python's str() prints it. @param {any} value @returns {string} */
function printed(value) {
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (Number.isSafeInteger(value)) return String(value)
  return fail(`a template may not print ${value === null ? 'null' : typeof value}`)
}

/** @param {any} value @returns {string} HTML */
export const out = value => (value instanceof Markup ? value.text : escaped(printed(value)))
/** @param {any} value @returns {Markup} */
// biome-ignore lint/suspicious/noShadowRestrictedNames: compiled templates call it by this name.
export const escape = value =>
  value instanceof Markup ? value : new Markup(escaped(printed(value)))

// --- names and parts ----------------------------------------------------------------------

const MISSING = Symbol('missing')

/** A context inside another. @param {Context} parent @returns {Context} */
export const scope = parent => Object.create(parent)

/** @param {Context} c @param {string} name @returns {any} @throws {ReferenceError} */
export function get(c, name) {
  if (!(name in c) || c[name] === MISSING) throw new ReferenceError(`'${name}' is undefined`)
  return c[name]
}

/** @param {any} of @param {string} name @returns {any} @throws {ReferenceError} */
export function attr(of, name) {
  if (
    of === null ||
    typeof of !== 'object' ||
    Array.isArray(of) ||
    of instanceof Markup ||
    !Object.hasOwn(of, name)
  ) {
    throw new ReferenceError(`no attribute '${name}'`)
  }
  return of[name]
}

/** @param {any} of @param {any} key @returns {any} @throws {ReferenceError} */
export function item(of, key) {
  if (!Array.isArray(of))
    return typeof key === 'string' ? attr(of, key) : fail('a key must be text')
  if (!Number.isSafeInteger(key) || key < 0 || key >= of.length)
    throw new ReferenceError(`no element ${key}`)
  return of[key]
}

// --- operators ----------------------------------------------------------------------------

/** @param {any} value @returns {boolean} */
export function truth(value) {
  if (value === null || value === undefined) return fail('a value is never null')
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Markup) return value.text !== ''
  if (typeof value === 'object') return Object.keys(value).length > 0
  return Boolean(value)
}

/** @param {any} left @param {() => any} right */
export const and = (left, right) => (truth(left) ? right() : left)
/** @param {any} left @param {() => any} right */
export const or = (left, right) => (truth(left) ? left : right())

/** Python's == of scalars: True is 1, Markup is its text. @param {any} one @param {any} two */
export function eq(one, two) {
  const [left, right] = [one, two].map(value => {
    if (value instanceof Markup) return value.text
    if (typeof value === 'boolean') return Number(value)
    if (typeof value === 'string' || Number.isSafeInteger(value)) return value
    return fail('only text, whole numbers and booleans are compared')
  })
  return left === right
}
/** @param {any} one @param {any} two */
export const ne = (one, two) => !eq(one, two)

/** @param {any} value @returns {number} */
function whole(value) {
  if (typeof value === 'boolean') return Number(value)
  return Number.isSafeInteger(value) ? value : fail('only whole numbers have an order here')
}
/** @param {any} one @param {any} two */
export const lt = (one, two) => whole(one) < whole(two)
/** @param {any} one @param {any} two */
export const le = (one, two) => whole(one) <= whole(two)
/** @param {any} one @param {any} two */
export const gt = (one, two) => whole(one) > whole(two)
/** @param {any} one @param {any} two */
export const ge = (one, two) => whole(one) >= whole(two)
/** @param {any} one @param {any} two */
export const add = (one, two) => whole(one) + whole(two)
/** @param {any} one @param {any} two */
export const sub = (one, two) => whole(one) - whole(two)

/** Python's `needle in hay`. @param {any} needle @param {any} hay @returns {boolean} */
export function within(needle, hay) {
  if (Array.isArray(hay)) return hay.some(one => eq(one, needle))
  const [part, place] = [needle, hay].map(value => (value instanceof Markup ? value.text : value))
  if (typeof place === 'string' && typeof part === 'string') return place.includes(part)
  if (place === null || typeof place !== 'object')
    return fail('`in` takes a list, an object or a text')
  // Keys are text: 1 is not the key '1', as JavaScript would have it. printed() refuses lists and null.
  return Object.hasOwn(place, printed(part)) && typeof part === 'string'
}

/** @param {any[]} parts @returns {string|Markup} */
export function concat(parts) {
  if (!parts.some(one => one instanceof Markup)) return parts.map(printed).join('')
  return new Markup(parts.map(out).join(''))
}

/** @param {any} list @returns {number} */
export const length = list => (Array.isArray(list) ? list.length : fail('length counts lists only'))

/** @param {any} list @param {any} [separator] @returns {string|Markup} */
export function join(list, separator = '') {
  if (!Array.isArray(list)) fail('join takes a list')
  if (![...list, separator].some(one => one instanceof Markup))
    return list.map(printed).join(printed(separator))
  return new Markup(list.map(out).join(out(separator)))
}

// --- loops, macros, other templates ---------------------------------------------------------

/**
 * @param {any} list @param {Context} c @param {string|string[]} names of the loop's variables
 * @param {(c: Context) => string} body
 * @param {(c: Context) => string} [otherwise] for an empty list
 */
export function loop(list, c, names, body, otherwise) {
  if (!Array.isArray(list)) fail('a loop takes a list')
  if (!list.length) return otherwise ? otherwise(scope(c)) : ''
  let text = ''
  list.forEach((/** @type {any} */ one, /** @type {number} */ place) => {
    const inner = scope(c)
    if (typeof names === 'string') inner[names] = one
    else {
      if (!Array.isArray(one) || one.length !== names.length) fail('a loop of pairs takes pairs')
      names.forEach((name, position) => {
        inner[name] = one[position]
      })
    }
    inner.loop = {
      index: place + 1,
      index0: place,
      first: place === 0,
      last: place === list.length - 1,
      length: list.length,
    }
    text += body(inner)
  })
  return text
}

/**
 * @param {Context} c @param {string} name @param {string[]} names of its arguments
 * @param {Record<string, (c: Context) => any>} defaults @param {(c: Context) => string} body
 * @returns {Macro}
 */
export function macro(c, name, names, defaults, body) {
  return (args, named) => {
    if (args.length > names.length) fail(`${name} takes at most ${names.length} arguments`)
    const inner = scope(c)
    // All that was given first: a default may name any other argument, and never the caller's variables.
    names.forEach((one, place) => {
      inner[one] =
        place < args.length ? args[place] : Object.hasOwn(named, one) ? named[one] : MISSING
    })
    for (const one of Object.keys(defaults))
      if (inner[one] === MISSING) inner[one] = defaults[one](inner)
    for (const one of Object.keys(named)) {
      if (!names.includes(one) || names.indexOf(one) < args.length)
        fail(`${name} got an unexpected ${one}`)
    }
    return new Markup(body(inner))
  }
}

/** @param {any} what @param {any[]} args @param {Record<string, any>} named */
export const call = (what, args, named) =>
  typeof what === 'function' ? what(args, named) : fail('only macros can be called')

/**
 * A template's macros: it runs without the caller's context, as Jinja's import does.
 * @param {Templates} T @param {string} name @param {Context} c @returns {Context}
 */
export function module(T, name, c) {
  const inner = base(c[I18N])
  find(T, name).root(inner, find(T, name).blocks)
  return inner
}

/**
 * `from name import what as alias`, for all pairs [alias, what] of one statement.
 * @param {Templates} T @param {string} name @param {Array<[string, string]>} pairs
 * @param {Context} c
 */
export function imported(T, name, pairs, c) {
  const found = module(T, name, c)
  for (const [alias, what] of pairs) {
    if (!Object.hasOwn(found, what)) throw new ReferenceError(`${name} has no ${what}`)
    c[alias] = found[what]
  }
}

/** @param {Templates} T @param {string} name @param {Context} c */
export const include = (T, name, c) => run(T, name, scope(c))

// --- messages -----------------------------------------------------------------------------

const I18N = Symbol('i18n')

/** @param {string} text @param {Record<string, any>} named @returns {Markup} */
function filled(text, named) {
  return new Markup(
    text.replace(/%(?:\((\w+)\)([sd])|%|)/g, (sign, name, kind) => {
      if (sign === '%%') return '%'
      if (name === undefined) return fail(`a lone % in “${text}”`)
      if (!Object.hasOwn(named, name))
        throw new ReferenceError(`no parameter ${name} for “${text}”`)
      return kind === 'd' ? String(whole(named[name])) : out(named[name])
    }),
  )
}

/**
 * `message` is a text that the compiler has seen, or its number in the bundle
 * (pwa/bundle/phone_words.py).
 * @param {Context} c @param {any} message @param {Record<string, any>} named
 */
export const gettext = (c, message, named) => filled(c[I18N].gettext(message), named)
/**
 * @param {Context} c @param {any} one @param {any} many @param {any} n
 * @param {Record<string, any>} named
 */
export const ngettext = (c, one, many, n, named) =>
  filled(c[I18N].ngettext(one, many, whole(n)), {num: n, ...named})

// --- rendering ------------------------------------------------------------------------------

/** @param {Words} i18n @param {Record<string, any>} [context] @returns {Context} */
function base(i18n, context = {}) {
  const c = Object.assign(Object.create(null), context)
  c[I18N] = i18n
  return c
}

/** @param {Templates} T @param {string} name @returns {Template} @throws {ReferenceError} */
function find(T, name) {
  if (!Object.hasOwn(T, name)) throw new ReferenceError(`no template ${name}`)
  return T[name]
}

/** @param {Templates} T @param {string} name @param {Context} c @returns {string} */
function run(T, name, c) {
  let template = find(T, name)
  let blocks = template.blocks
  while (template.parent !== null) {
    template.root(c, blocks) // definitions only: they are for the blocks
    template = find(T, template.parent)
    blocks = {...template.blocks, ...blocks}
  }
  return template.root(c, blocks)
}

/**
 * @param {Templates} T @param {string} name @param {Record<string, any>} context
 * @param {Words} i18n @returns {string} HTML
 */
export const render = (T, name, context, i18n) => run(T, name, base(i18n, context))
