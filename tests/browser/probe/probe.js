// Pages of the browser tests. `window.probe` is what a test looks at and turns: what was stored,
// which operations came, what is stored whatever was tapped (`stores`), and a gate that holds a save back until the test opens it.

import {fragment, page, redirect, refuse} from '../page/router.js'
import {uuid7} from '../record/ids.js'

const probe = {
  stored: {},
  notes: new Map(),
  operations: [],
  requests: [],
  refuse: '',
  gate: Promise.resolve(),
}
window.probe = probe

const row = key => ({key, yes: probe.stored[key] === 'yes'})

function show(title, extra = {}) {
  return page('field/probe.html', {
    title,
    operation: uuid7(),
    answers: ['a', 'b', 'c'].map(row),
    notes: [...probe.notes.values()],
    tall: Array.from({length: 60}, (_, i) => `line ${i}`),
    ...extra,
  })
}

export function register(routes) {
  const get = (path, handler) =>
    routes.add(
      'GET',
      path,
      call => {
        probe.requests.push(`GET ${call.path}`)
        return handler(call)
      },
      {anyone: true},
    )
  const post = (path, handler) =>
    routes.add(
      'POST',
      path,
      async call => {
        probe.requests.push(`POST ${call.path}`)
        await probe.gate
        if (probe.refuse === 'throw') throw new Error('probe')
        if (probe.refuse) return refuse(probe.refuse)
        probe.operations.push(call.form.get('operation'))
        return handler(call)
      },
      {anyone: true},
    )

  get('/field/probe', () => show('One'))
  get('/field/probe/two', () => show('Two'))
  get('/field/probe/arabic', () => show('Three', {lang: 'ar', dir: 'rtl'}))
  get('/field/probe/tenant', () => show('Turned', {lang: 'ar', dir: 'rtl', screen: 'tenant'}))
  get('/field/probe/moved', () => redirect('/field/probe/two'))
  get('/field/probe/broken', () => {
    throw new Error('probe')
  })
  post('/field/probe/answer', ({query, form}) => {
    probe.stored[query.get('item')] = probe.stores ?? form.get('answer') ?? 'no'
    return fragment('field/answer.html', {row: row(query.get('item'))})
  })
  post('/field/probe/note', ({form}) => {
    probe.notes.set(form.get('operation'), form.get('text'))
    return redirect('/field/probe/two', {toast: 'Noted'})
  })
}
