// A phone for tests of pages: the real router, handlers, view models and apply; the store, the
// outbox and the guide are in memory. What a page saves is applied at once, as the replay does.

import {readFileSync} from 'node:fs'
import {register} from 'node:module'

const hook = `
export async function resolve(specifier, context, next) {
  if (context.parentURL?.includes('/static/field/views/')) {
    if (specifier === '../store/outbox.js') return {url: 'fake:outbox', shortCircuit: true}
    if (specifier === '../guide/packs.js') return {url: 'fake:guides', shortCircuit: true}
  }
  return next(specifier, context)
}
export async function load(url, context, next) {
  const source = {
    'fake:outbox': 'export const saveDrafts = (store, drafts, blobs) => store.record(drafts, blobs)',
    'fake:guides': 'export const loadPack = (version, language) => globalThis.fakePack(version, language)',
  }[url]
  return source ? {format: 'module', source, shortCircuit: true} : next(url, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)

const {makeRouter, Routes} = await import('../../static/field/page/router.js')
const {register: registerViews} = await import('../../static/field/views/index.js')
const {apply, stateOf} = await import('../../static/field/record/apply.js')
const {uuid7} = await import('../../static/field/record/ids.js')

const {packs} = JSON.parse(
  readFileSync(new URL('../../sync/vectors/view_visit.json', import.meta.url), 'utf8'),
)
globalThis.fakePack = async (version, language) => {
  if (!packs[language]) throw new Error('not on this phone')
  return packs[language]
}

globalThis.location ??= new URL('https://phone.test/field/')

export const VISIT = '6f1c0000-0000-4000-8000-000000000001'
export const TENANCY = {
  street: 'Gatvägen 12 A',
  apartment: '1102',
  postcode: '72187',
  city: 'Västerås',
  area: 'Norr',
  building: '',
  tenants: ['Testsson Test'],
  phones: [{original: '070-123 45 67', e164: '+46701234567'}],
  move_in: '2026-11-20',
  language: '',
}
const I18N = {
  language: 'sv',
  direction: 'ltr',
  gettext: id => id,
  ngettext: (one, many, n) => (n === 1 ? one : many),
  _: (text, params = {}) => text.replace(/%\((\w+)\)s/g, (_, name) => params[name]),
}

/** A phone with Bob signed in and one booked visit in Arabic. */
export function fakePhone() {
  const visits = new Map()
  const blobs = new Map()
  const saved = [] // drafts in the order they were saved
  const seen = new Set()
  let seq = 0
  const counters = {}
  const perform = (id, kind, data, {by = 'u1', device = 'desk', operation = uuid7()} = {}) => {
    const visit = visits.get(id) ?? {record: null, tenancy: {}}
    counters[device] = (counters[device] ?? 0) + 1
    visit.record = apply(
      visit.record,
      {
        id: operation,
        v: 1,
        kind,
        subject: {type: 'visit', id},
        by,
        device,
        device_seq: counters[device],
        at: '2026-12-01T10:00:00+01:00',
        base: seq,
        data,
      },
      ++seq,
    )
    visits.set(id, visit)
    return operation
  }
  const fileOf = id => ({
    id,
    ...visits.get(id),
    state: stateOf(visits.get(id).record),
    settings: {'company.phone': '021-12 34 56'},
    unsent: 0,
    held: 0,
    status: {},
  })
  const store = {
    visits: async () => [...visits.keys()].map(fileOf),
    visit: async id => (visits.has(id) ? fileOf(id) : null),
    facts: async () => ({
      people: {u1: 'Alice', u2: 'Bob'},
      guide: 'g1',
      clock_offset_ms: 0,
      languages: ['sv', 'ar'],
    }),
    blob: async hash => blobs.get(hash) ?? null,
    async record(drafts, riding = []) {
      for (const blob of riding) blobs.set(blob.sha256, blob)
      for (const draft of drafts) {
        if (seen.has(draft.id)) continue // a draft known already is the same operation (outbox.js)
        seen.add(draft.id)
        saved.push(draft)
        if (draft.subject.type === 'visit') {
          perform(draft.subject.id, draft.kind, draft.data, {
            by: 'u2',
            device: 'd1',
            operation: draft.id,
          })
        }
      }
      return drafts.map(({id}) => ({id}))
    },
  }
  perform(VISIT, 'visit.plan', {tenancy: '6f1c0000-0000-4000-8000-0000000000aa', kind: 'welcome'})
  visits.get(VISIT).tenancy = TENANCY
  perform(VISIT, 'visit.assign', {visitors: ['u2'], date: '2026-12-01', time: '10:00'})
  perform(VISIT, 'visit.language', {language: 'ar'})

  const routes = new Routes()
  registerViews(routes)
  const person = {
    id: 'u2',
    name: 'Bob',
    role: 'visitor',
    languages: ['sv', 'ar'],
    interface_language: 'sv',
  }
  const failures = []
  const route = makeRouter({
    routes,
    render: (template, context) => JSON.stringify({template, context}),
    scene: async () => ({store, sync: {}, person, i18n: I18N}),
    here: () => '',
    report: error => failures.push(error),
  })
  /** Ask for a page or post a form; → {status, toast, url, template, context}. */
  async function ask(url, form) {
    const init = form
      ? {method: 'POST', body: new URLSearchParams(form), headers: {'HX-Request': 'true'}}
      : {headers: {'HX-Request': 'true'}}
    const response = await route(url, init)
    if (failures.length) throw failures.pop()
    const text = await response.text()
    return {
      status: Number(response.headers.get('X-Page-Status') ?? response.status),
      toast: decodeURIComponent(response.headers.get('X-Toast') ?? ''),
      url: response.headers.get('HX-Push-Url') ?? '',
      ...(text ? JSON.parse(text) : {}),
    }
  }
  /** Have a picture on the phone, as the camera and the outbox leave it there. */
  const keep = blob => void blobs.set(blob.sha256, blob)
  return {ask, saved, perform, keep, store, visits, uuid7, url: `/field/visits/${VISIT}`}
}
