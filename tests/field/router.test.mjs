// The phone's small server: addresses, redirects, pages, refusals, faults.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {
  done,
  fragment,
  makeRouter,
  page,
  Routes,
  redirect,
  refuse,
} from '../../static/field/page/router.js'

const i18n = {
  language: 'en',
  direction: 'ltr',
  _: (text, params = {}) => text.replace(/%\((\w+)\)s/g, (_, k) => params[k]),
}
const render = (template, context) => `<main>${template} ${JSON.stringify(context)}</main>`

function make(add, {person = {id: 'bob'}, here = '/field/'} = {}) {
  const routes = new Routes()
  add(routes)
  const reported = []
  const handle = makeRouter({
    routes,
    render,
    here: () => here,
    report: error => reported.push(error),
    scene: async () => ({store: {}, sync: null, person, i18n}),
  })
  return {handle, reported}
}

const HTMX = {'HX-Request': 'true', 'HX-Request-Type': 'partial'}
const toastOf = response => decodeURIComponent(response.headers.get('X-Toast') ?? '')

test('an address finds its handler with its parameters, query and form', async () => {
  let seen
  const {handle} = make(routes =>
    routes.add('POST', '/field/visits/:id/answer', call => {
      seen = call
      return fragment('x.html', {})
    }),
  )
  await handle('/field/visits/a%20b/answer?item=i3', {
    method: 'POST',
    body: new URLSearchParams({answer: 'yes'}),
  })
  assert.equal(seen.params.id, 'a b')
  assert.equal(seen.query.get('item'), 'i3')
  assert.equal(seen.form.get('answer'), 'yes')
})

test('a longer or shorter address is another address', async () => {
  const {handle} = make(routes => routes.add('GET', '/field/visits/:id', () => page('v.html', {})))
  for (const path of ['/field/visits', '/field/visits/1/s', '/field/visits/%E0']) {
    const response = await handle(path, {headers: HTMX})
    assert.equal(response.headers.get('X-Page-Status'), '404', path)
    assert.match(await response.text(), /field\/message\.html/)
  }
})

test('a redirect is followed inside and the address is named', async () => {
  const {handle} = make(routes => {
    routes.add('POST', '/field/new', () => redirect('/field/visits/7', {toast: 'Saved'}))
    routes.add('GET', '/field/visits/:id', ({params}) => page('visit.html', {id: params.id}))
  })
  const response = await handle('/field/new', {method: 'POST', headers: HTMX})
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('HX-Push-Url'), '/field/visits/7')
  assert.equal(response.headers.get('HX-Retarget'), '#main')
  assert.equal(toastOf(response), 'Saved')
  assert.match(await response.text(), /visit\.html.*"id":"7"/)
})

test('a redirect that never ends becomes a message', async () => {
  const {handle, reported} = make(routes =>
    routes.add('GET', '/field/a', () => redirect('/field/a')),
  )
  const response = await handle('/field/a', {headers: HTMX})
  assert.equal(response.headers.get('X-Page-Status'), '500')
  assert.equal(reported.length, 1)
})

test('the address that is shown already is not pushed a second time', async () => {
  const {handle} = make(routes => routes.add('GET', '/field/a', () => page('a.html', {})), {
    here: '/field/a?x=1',
  })
  assert.equal((await handle('/field/a?x=1', {headers: HTMX})).headers.get('HX-Push-Url'), 'false')
  assert.equal((await handle('/field/a', {headers: HTMX})).headers.get('HX-Push-Url'), '/field/a')
})

test('going back to a page that moved replaces the address instead of adding one', async () => {
  const {handle} = make(
    routes => {
      routes.add('GET', '/field/old', () => redirect('/field/'))
      routes.add('GET', '/field/', () => page('visits.html', {}))
    },
    {here: '/field/old'},
  )
  const response = await handle('/field/old', {headers: {'HX-History-Restore-Request': 'true'}})
  assert.equal(response.headers.get('HX-Replace-Url'), '/field/')
  assert.equal(response.headers.get('HX-Push-Url'), null)
})

test('without anybody signed in only open pages are shown', async () => {
  const {handle} = make(
    routes => {
      routes.add('GET', '/field/', () => page('visits.html', {}))
      routes.add('GET', '/field/sign-in', () => page('sign_in.html', {}), {anyone: true})
    },
    {person: null},
  )
  const response = await handle('/field/', {headers: HTMX})
  assert.match(await response.text(), /sign_in\.html/)
})

test('a refusal changes nothing on the screen and gives the reason', async () => {
  const {handle} = make(routes =>
    routes.add('POST', '/field/note', () => refuse('Write something first.')),
  )
  const response = await handle('/field/note', {method: 'POST', headers: HTMX})
  assert.equal(response.status, 422)
  assert.equal(await response.text(), '')
  assert.equal(toastOf(response), 'Write something first.')
})

test('a handler that throws on a tap is shown and reported', async () => {
  const {handle, reported} = make(routes =>
    routes.add('POST', '/field/note', () => {
      throw new Error('oops')
    }),
  )
  const response = await handle('/field/note', {method: 'POST', headers: HTMX})
  assert.equal(response.status, 500)
  assert.match(toastOf(response), /^Not saved/)
  assert.equal(reported[0].message, 'oops')
})

test('a save that failed shows that the phone could not write it', async () => {
  const failure = Object.assign(new Error('quota'), {name: 'SaveFailed'})
  const {handle} = make(routes =>
    routes.add('POST', '/field/note', async () => {
      throw failure
    }),
  )
  const response = await handle('/field/note', {method: 'POST', headers: HTMX})
  assert.equal(response.status, 507)
  assert.match(toastOf(response), /could not write it down/)
})

test('a page that throws shows a page that says what to do', async () => {
  const {handle} = make(routes =>
    routes.add('GET', '/field/a', () => {
      throw new Error('oops')
    }),
  )
  const response = await handle('/field/a', {headers: HTMX})
  assert.equal(
    response.status,
    200,
    'htmx swaps no 5xx: the visitor would keep looking at the page before',
  )
  assert.match(await response.text(), /Nothing that was saved is lost/)
})

test('a request nobody waits for any more is not answered', async () => {
  const {handle} = make(routes => routes.add('GET', '/field/a', () => page('a.html', {})))
  await assert.rejects(handle('/field/a', {signal: AbortSignal.abort()}), {name: 'AbortError'})
})

test('done answers with nothing to swap', async () => {
  const {handle} = make(routes => routes.add('POST', '/field/a', () => done({toast: 'Sent'})))
  const response = await handle('/field/a', {method: 'POST', headers: HTMX})
  assert.equal(response.status, 204)
  assert.equal(toastOf(response), 'Sent')
})

test('a page behind a sign-in sees the person who just signed in', async () => {
  const routes = new Routes()
  let person = null
  routes.add(
    'POST',
    '/field/sign-in',
    () => {
      person = {id: 'bob'}
      return redirect('/field/')
    },
    {anyone: true},
  )
  routes.add('GET', '/field/', ({person}) => page('visits.html', {id: person.id}))
  routes.add('GET', '/field/sign-in', () => page('sign_in.html', {}), {anyone: true})
  const handle = makeRouter({
    routes,
    render,
    here: () => '/field/sign-in',
    scene: async () => ({store: {}, sync: null, person, i18n}),
  })
  const response = await handle('/field/sign-in', {method: 'POST', headers: HTMX})
  assert.equal(response.headers.get('HX-Push-Url'), '/field/')
  assert.match(await response.text(), /visits\.html.*"id":"bob"/)
})
