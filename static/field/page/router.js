// The phone's small server: requests below /field/ come here instead of to the network, and go
// back as a Response made by hand. It keeps these promises: redirects are followed inside (a made
// Response has no url, so htmx could not know where it ended); whole pages replace <main> and tell
// the address; a handler that fails becomes a message people can act on, and never empties a form.

/** @typedef {{params: Record<string, string>, query: URLSearchParams, form: URLSearchParams|FormData,
 *   path: string, partial: boolean, store: any, sync: any, person: any,
 *   i18n: import('../i18n.js').I18n}} Call */
/** @typedef {{type: string, [key: string]: any}} Result */

const REDIRECTS_MAX = 8

/** A whole page. `push` overrides the address shown.
 * @param {string} template @param {Record<string, unknown>} context
 * @param {{status?: number, push?: string, toast?: string}} [options] @returns {Result} */
export const page = (template, context, options = {}) => ({
  type: 'page',
  template,
  context,
  ...options,
})

/** A part of a page, for the target that the element named.
 * @param {string} template @param {Record<string, unknown>} context
 * @param {{toast?: string}} [options] @returns {Result} */
export const fragment = (template, context, options = {}) => ({
  type: 'fragment',
  template,
  context,
  ...options,
})

/** Go on with GET `location`. @param {string} location @param {{toast?: string}} [options] @returns {Result} */
export const redirect = (location, options = {}) => ({type: 'redirect', location, ...options})

/** Nothing was done; the form stays as it is and `message` says why.
 * @param {string} message @param {number} [status] 4xx or 5xx @returns {Result} */
export const refuse = (message, status = 422) => ({type: 'refuse', message, status})

/** Done, nothing to show but perhaps a word. @param {{toast?: string}} [options] @returns {Result} */
export const done = (options = {}) => ({type: 'done', ...options})

/** The table of addresses. */
export class Routes {
  #entries = []

  /**
   * @param {'GET'|'POST'} method
   * @param {string} pattern '/field/visits/:id'; a :name takes one path segment
   * @param {(call: Call) => Promise<Result>|Result} handler
   * @param {{anyone?: boolean}} [options] anyone: also for a phone where nobody is signed in
   */
  add(method, pattern, handler, {anyone = false} = {}) {
    this.#entries.push({method, parts: split(pattern), handler, anyone})
  }

  /** @param {string} method @param {string} path
   * @returns {{handler: Function, params: Record<string, string>, anyone: boolean}|null} */
  find(method, path) {
    const segments = split(path)
    for (const entry of this.#entries) {
      if (entry.method !== method || entry.parts.length !== segments.length) continue
      const params = {}
      const fits = entry.parts.every((part, i) => {
        if (!part.startsWith(':')) return part === segments[i]
        try {
          params[part.slice(1)] = decodeURIComponent(segments[i])
        } catch {
          return false
        }
        return true
      })
      if (fits) return {handler: entry.handler, params, anyone: entry.anyone}
    }
    return null
  }
}

const split = path => path.split('/').filter(Boolean)

/**
 * @param {object} parts
 * @param {Routes} parts.routes
 * @param {(template: string, context: Record<string, unknown>, i18n: any) => string} parts.render
 * @param {() => Promise<{store: any, sync: any, person: any, i18n: any}>} parts.scene read anew for each request
 * @param {() => string} parts.here the address shown now, path and query
 * @param {(error: unknown) => void} [parts.report] what went wrong, for the console
 * @returns {(url: string, init?: RequestInit) => Promise<Response>}
 */
export function makeRouter({routes, render, scene, here, report = console.error}) {
  return async function handle(url, init = {}) {
    if (init.signal?.aborted) throw new DOMException('no longer wanted', 'AbortError')
    const headers = new Headers(init.headers)
    const asked = new URL(url, 'http://phone')
    const first = {
      method: (init.method ?? 'GET').toUpperCase(),
      partial: headers.has('HX-Request') && headers.get('HX-Request-Type') === 'partial',
      body: init.body ?? new URLSearchParams(),
    }
    let {store, sync, person, i18n} = await scene()
    let {method} = first
    let target = asked
    let toast = ''
    try {
      for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
        const route = routes.find(method, target.pathname)
        let result
        if (!route) result = notFound(i18n, target.pathname)
        else if (!person && !route.anyone) result = redirect('/field/sign-in')
        else {
          result = await route.handler({
            params: route.params,
            query: target.searchParams,
            form: method === 'POST' ? first.body : new URLSearchParams(),
            path: target.pathname + target.search,
            partial: first.partial,
            store,
            sync,
            person,
            i18n,
          })
        }
        toast = result.toast ?? toast
        if (result.type !== 'redirect')
          return respond(result, {first, headers, target, toast, i18n})
        target = new URL(result.location, target)
        method = 'GET'
        // Read again: the handler may just have signed somebody in or out.
        ;({store, sync, person, i18n} = await scene())
      }
      throw new Error(`more than ${REDIRECTS_MAX} redirects from ${url}`)
    } catch (error) {
      report(error)
      return respond(failed(first, error, i18n), {first, headers, target: asked, toast: '', i18n})
    }
  }

  function respond(result, {first, headers, target, toast, i18n}) {
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
      if (first.method !== 'GET') answer.set('HX-Reswap', 'outerSync show:none')
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
}

function notFound({_}, path) {
  return page(
    'field/message.html',
    {
      title: _('This page is not here'),
      text: _('There is nothing at %(path)s. The visit may have been moved to someone else.', {
        path,
      }),
      remedy: _('Go to your visits and open it from there.'),
      alarm: false,
    },
    {status: 404},
  )
}

function failed(first, error, {_}) {
  const saving = error?.name === 'SaveFailed'
  const text = saving
    ? _(
        'Not saved: the phone could not write it down. What you typed is still here. Try once more; if it fails again, free some space on the phone.',
      )
    : _('Not saved: something went wrong in the app. What you typed is still here. Try once more.')
  if (first.method !== 'GET') return refuse(text, saving ? 507 : 500)
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
