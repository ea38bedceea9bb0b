// The list of one's own visits, and a visit that nobody planned. Ordered by what needs doing:
// returned ones first, then today's, then by day. The clock sorts and never hides: what is far off
// in a long list is one tap away, and what is unsent or needs someone is always shown.

/** @typedef {import('../models/view_texts.js').View} View */

import {headView, LANGUAGES, languageView} from '../models/view_models.js'
import {page, redirect, refuse} from '../page/router.js'
import {uuid4, uuid7} from '../record/ids.js'
import {saveDrafts} from '../store/outbox.js'
import {todayOf, urlOf} from './context.js'

/** @import {OwnVisit} from '../record/shapes.d.ts' */
/** @import {Call} from '../page/shapes.d.ts' */

const KINDS = ['contact', 'reactive', 'short', 'revisit']
const SHOWN_AT_FIRST = 15
const FINISHED = ['done', 'approved', 'declined', 'cancelled']

/** @param {View} visit @param {string} today */
const groupOf = (visit, today) => {
  if (visit.state === 'returned') return 'returned'
  if (visit.date === today || (visit.state === 'started' && !visit.date)) return 'today'
  if (visit.date > today) return 'coming'
  if (!visit.date && !FINISHED.includes(visit.state)) return 'unbooked'
  return 'earlier'
}

// One collator for all comparisons: localeCompare makes a new one each time, 70 ms for 200 visits.
const collator = new Intl.Collator('sv')
/** @param {View} a @param {View} b */
const byTime = (a, b) =>
  collator.compare(`${a.date} ${a.time} ${a.address}`, `${b.date} ${b.time} ${b.address}`)

/**
 * The list's groups in the order they are shown. Pure, for the tests.
 * @param {OwnVisit[]} files store.visits() @param {Record<string, string>} people
 * @param {string} today
 */
export function groupVisits(files, people, today) {
  /** @type {Record<string, View[]>} */
  const groups = Object.fromEntries(
    ['returned', 'today', 'coming', 'unbooked', 'earlier'].map(key => [key, []]),
  )
  for (const file of files) {
    const head = headView({...file, tenancy: file.tenancy ?? {}}, people)
    const row = {...head, url: urlOf(file.id), unsent: file.unsent ?? 0, held: file.held ?? 0}
    groups[groupOf(row, today)].push(row)
  }
  for (const rows of Object.values(groups)) rows.sort(byTime)
  groups.earlier.reverse()
  return Object.entries(groups).map(([key, rows]) => ({key, rows, total: rows.length}))
}

/**
 * A long group's beginning, unless it is what the day is about. Two hundred cards cost a slow phone
 * a second at every start; nobody reads them at once.
 * @template {{key: string, rows: View[]}} Group @param {Group} group @returns {Group}
 */
export function beginning(group) {
  if (group.key === 'returned' || group.key === 'today') return group
  return {
    ...group,
    rows: group.rows.filter((row, place) => place < SHOWN_AT_FIRST || row.unsent || row.held),
  }
}

/** @param {Call} call */
async function list({store, i18n, query}) {
  const [files, facts] = await Promise.all([store.visits(), store.facts()])
  const groups = groupVisits(files, facts.people ?? {}, todayOf(facts))
  return page('field/visits.html', {
    title: i18n._('My visits'),
    groups: query.has('all') ? groups : groups.map(beginning),
    total: files.length,
  })
}

/** @param {Call} call */
async function newVisit({store, person, i18n}) {
  const tenancies = new Map()
  for (const file of await store.visits()) {
    const {street = '', apartment = ''} = file.tenancy ?? {}
    if (file.record.tenancy && street)
      tenancies.set(file.record.tenancy, `${street} ${apartment}`.trim())
  }
  const first = person.languages?.find(tag => tag !== 'sv') ?? 'sv'
  return page('field/new_visit.html', {
    title: i18n._('New visit'),
    operation: uuid7(),
    visit_id: uuid4(),
    kinds: KINDS,
    tenancies: [...tenancies].map(([id, label]) => ({id, label})),
    languages: Object.keys(LANGUAGES).map(tag => ({...languageView(tag), chosen: tag === first})),
  })
}

/** @param {Call} call */
async function openNew({form, store, i18n}) {
  const kind = form.get('kind') ?? ''
  if (!KINDS.includes(kind)) return refuse(i18n._('Choose what kind of visit it is.'))
  const id = form.get('visit_id') ?? ''
  await saveDrafts(store, [
    {
      id: form.get('operation'),
      kind: 'visit.open',
      subject: {type: 'visit', id},
      data: {tenancy: form.get('tenancy') ?? '', kind, language: form.get('language') ?? ''},
    },
  ])
  return redirect(urlOf(id))
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field', list)
  routes.add('GET', '/field/new', newVisit)
  routes.add('POST', '/field/new', openNew)
}
