// The phone's small server: requests below /field/ come here instead of to the network, and go back
// as a Response made by hand. Invariant: redirects are followed inside (a made Response has no url,
// so htmx could not know where it ended); a whole page replaces <main> and names its address; a
// handler that fails becomes a message people can act on, and never empties a form.

/** @typedef {import('../i18n.js').I18n} I18n */
/** @typedef {import('./shapes.d.ts').Result} Result */
/** @typedef {import('./shapes.d.ts').Scene} Scene */
/** @typedef {(call: any) => Promise<Result>|Result} Handler takes a Call or an OpenCall */
/**
 * @typedef {object} Parts
 * @property {Routes} routes
 * @property {(template: string, context: Record<string, unknown>, i18n: I18n) => string} render
 * @property {() => Promise<Scene>} scene read anew for each request
 * @property {() => string} here the address shown now, path and query
 * @property {(error: unknown) => void} [report] what went wrong, for the console
 */
/**
 * @typedef {{headers: Headers, isGet: boolean, target: URL, toast: string, i18n: I18n}} Context
 *   `headers`: of the request; `target`: the address after all redirects
 */

const REDIRECTS_MAX = 8

/**
 * A whole page. `push` overrides the address shown.
 * @param {string} template @param {Record<string, unknown>} context
 * @param {{status?: number, push?: string, toast?: string}} [options]
 * @returns {import('./shapes.d.ts').PageResult}
 */
export const page = (template, context, options = {}) => ({
  type: 'page',
  template,
  context,
  ...options,
})

/**
 * A part of a page, for the target that the element named.
 * @param {string} template @param {Record<string, unknown>} context
 * @param {{toast?: string}} [options] @returns {Result}
 */
export const fragment = (template, context, options = {}) => ({
  type: 'fragment',
  template,
  context,
  ...options,
})

/**
 * Go on with GET `location`.
 * @param {string} location @param {{toast?: string}} [options] @returns {Result}
 */
export const redirect = (location, options = {}) => ({type: 'redirect', location, ...options})

/**
 * Nothing was done; the form stays as it is and `message` gives the reason.
 * @param {string} message @param {number} [status] from 400 to 599 @returns {Result}
 */
export const refuse = (message, status = 422) => ({type: 'refuse', message, status})

/**
 * Done, nothing to show but perhaps a toast.
 * @param {{toast?: string}} [options] @returns {Result}
 */
export const done = (options = {}) => ({type: 'done', ...options})

/** The table of addresses. */
export class Routes {
  /** @type {Array<{method: string, parts: string[], handler: Handler, anyone: boolean}>} */
  #entries = []

  /**
   * @param {'GET'|'POST'} method
   * @param {string} pattern '/field/visits/:id'; a :name takes one path segment
   * @param {Handler} handler
   * @param {{anyone?: boolean}} [options] anyone: also for a phone where nobody is signed in
   */
  add(method, pattern, handler, {anyone = false} = {}) {
    this.#entries.push({method, parts: split(pattern), handler, anyone})
  }

  /**
   * @param {string} method @param {string} path
   * @returns {{handler: Handler, params: Record<string, string>, anyone: boolean}|null}
   */
  find(method, path) {
    const segments = split(path)
    for (const entry of this.#entries) {
      if (entry.method !== method || entry.parts.length !== segments.length) continue
      const params = paramsOf(entry.parts, segments)
      if (params) return {handler: entry.handler, params, anyone: entry.anyone}
    }
    return null
  }
}

/** @param {string} path */
const split = path => path.split('/').filter(Boolean)

/**
 * @param {string[]} parts of a pattern @param {string[]} segments of an address, as many
 * @returns {Record<string, string>|null} null where they do not fit
 */
function paramsOf(parts, segments) {
  /** @type {Record<string, string>} */
  const params = {}
  for (const [i, part] of parts.entries()) {
    if (!part.startsWith(':')) {
      if (part !== segments[i]) return null
      continue
    }
    try {
      params[part.slice(1)] = decodeURIComponent(segments[i])
    } catch {
      return null
    }
  }
  return params
}

/** @param {Parts} parts @returns {(url: string, init?: RequestInit) => Promise<Response>} */
export function makeRouter(parts) {
  const {report = console.error} = parts
  return async function handle(url, init = {}) {
    if (init.signal?.aborted) throw new DOMException('no longer wanted', 'AbortError')
    const headers = new Headers(init.headers)
    const target = new URL(url, 'http://phone')
    const method = (init.method ?? 'GET').toUpperCase()
    let scene = await parts.scene()
    const read = async () => {
      scene = await parts.scene()
      return scene
    }
    try {
      return await follow(parts, {scene, read, method, target, headers, body: init.body})
    } catch (error) {
      report(error)
      const {i18n} = scene
      const isGet = method === 'GET'
      return respond(parts, failed(isGet, error, i18n), {target, headers, isGet, toast: '', i18n})
    }
  }
}

/**
 * Answer a request, through all redirects.
 * @param {Parts} parts
 * @param {{scene: Scene, read: () => Promise<Scene>, method: string, target: URL, headers: Headers,
 *   body: any}} request `read`: the scene anew
 * @returns {Promise<Response>}
 */
async function follow(parts, {scene, read, method, target, headers, body}) {
  const partial = headers.has('HX-Request') && headers.get('HX-Request-Type') === 'partial'
  const isGet = method === 'GET'
  const asked = target.pathname + target.search
  let toast = ''
  for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
    const form = method === 'POST' ? body : undefined
    const result = await answer(parts, scene, {method, target, form, partial})
    toast = result.toast ?? toast
    if (result.type !== 'redirect')
      return respond(parts, result, {target, headers, isGet, toast, i18n: scene.i18n})
    target = new URL(result.location, target)
    method = 'GET'
    // Read again: the handler may just have signed somebody in or out.
    scene = await read()
  }
  throw new Error(`more than ${REDIRECTS_MAX} redirects from ${asked}`)
}

/**
 * The result of the handler of an address.
 * @param {Parts} parts @param {Scene} scene
 * @param {{method: string, target: URL, form: any, partial: boolean}} request
 */
function answer({routes}, scene, {method, target, form, partial}) {
  const route = routes.find(method, target.pathname)
  if (!route) return notFound(scene.i18n, target.pathname)
  if (!scene.person && !route.anyone) return redirect('/field/sign-in')
  return route.handler({
    ...scene,
    params: route.params,
    query: target.searchParams,
    form: form ?? new URLSearchParams(),
    path: target.pathname + target.search,
    partial,
  })
}

/**
 * @param {Parts} parts @param {Exclude<Result, {type: 'redirect'}>} result @param {Context} context
 * @returns {Response}
 */
function respond({render, here}, result, {headers, isGet, target, toast, i18n}) {
  const answer = new Headers({'Content-Type': 'text/html; charset=utf-8'})
  if (toast) answer.set('X-Toast', encodeURIComponent(toast))
  if (result.type === 'done') return new Response(null, {status: 204, headers: answer})
  if (result.type === 'refuse') {
    answer.set('X-Toast', encodeURIComponent(result.message))
    return new Response('', {status: result.status, headers: answer})
  }
  const html = render(result.template, result.context, i18n)
  if (result.type === 'fragment') return new Response(html, {headers: answer})
  if (headers.has('HX-Request')) {
    answer.set('HX-Retarget', '#main')
    answer.set('HX-Reselect', '#main')
    if (!isGet) answer.set('HX-Reswap', 'outerSync show:none')
  }
  const shown = result.push ?? target.pathname + target.search
  // Replace where the address bar already names the page that was asked for (first paint, back).
  const replaces = headers.has('X-Replace') || headers.has('HX-History-Restore-Request')
  if (shown === here()) answer.set('HX-Push-Url', 'false')
  else answer.set(replaces ? 'HX-Replace-Url' : 'HX-Push-Url', shown)
  // A page always goes out as 200: htmx does not swap 4xx and 5xx, and an error page that is
  // not shown leaves the visitor looking at the page before under the wrong address.
  answer.set('X-Page-Status', String(result.status ?? 200))
  return new Response(html, {headers: answer})
}

/** @param {I18n} i18n @param {string} path */
function notFound({_}, path) {
  return page(
    'field/message.html',
    {
      title: _('Page not found on this phone'),
      text: _('There is nothing at %(path)s. The visit may have been moved to someone else.', {
        path,
      }),
      remedy: _('Go to your visits and open it from there.'),
      alarm: false,
    },
    {status: 404},
  )
}

/**
 * @param {boolean} isGet @param {any} error @param {I18n} i18n
 * @returns {Exclude<Result, {type: 'redirect'}>}
 */
function failed(isGet, error, {_}) {
  const saving = error?.name === 'SaveFailed'
  const text = saving
    ? _(
        'Not saved: the phone could not write it down. What you typed is still here. Try once more; if it fails again, free some space on the phone.',
      )
    : _('Not saved: something went wrong in the app. What you typed is still here. Try once more.')
  if (!isGet) return {type: 'refuse', message: text, status: saving ? 507 : 500}
  return page(
    'field/message.html',
    {
      title: _('This page could not be shown'),
      text: _('Something went wrong in the app. Nothing that was saved is lost.'),
      remedy: _('Go back and try again, or close the app and open it again.'),
      alarm: true,
    },
    {status: 500},
  )
}
