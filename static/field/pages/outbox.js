// "What is on this phone": the outbox in plain words. It shows exactly what the outbox holds (the
// same list that is sent), sends on request, and gives it out as a file when nothing else helps.

import {unsent} from '../outbox.js'
import {page, redirect} from '../router.js'
import {toast} from '../forms.js'
import {describe, explain, moment} from './words.js'

/** @param {import('../router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/outbox', show, {anyone: true})
  routes.add('POST', '/field/outbox/send', send, {anyone: true})
}

async function show({store, sync, person, i18n}) {
  const rows = await unsent(store)
  return page('field/outbox.html', await outboxView(rows, {store, status: sync?.status() ?? null, person, i18n}))
}

async function send({sync, i18n}) {
  // The answer to "Send now" comes when the server has answered or could not be reached.
  await sync.now()
  const status = sync.status()
  const reached = status.online !== 'no' && !status.problem && !status.needs_sign_in
  return redirect('/field/outbox', reached ? {} : {toast: i18n._('No contact with the server. Everything stays saved on this phone.')})
}

/** The page's values. @returns {Promise<Record<string, unknown>>} */
export async function outboxView(rows, {store, status, person, i18n}) {
  const {_, ngettext} = i18n
  const groups = new Map()
  for (const row of rows) {
    const key = row.visit ?? ''
    if (!groups.has(key)) groups.set(key, [])
    groups.get(key).push(operationRow(row, i18n))
  }
  const needs = rows.filter(row => row.state === 'needs').length
  return {
    title: _('What is on this phone'),
    total: rows.length,
    summary: rows.length === 0
      ? _('All sent. Nothing waits on this phone.')
      : _(ngettext('%(count)s thing is not finished with the server.', '%(count)s things are not finished with the server.', rows.length), {count: rows.length})
        + (needs ? ' ' + _(ngettext('%(count)s needs you.', '%(count)s need you.', needs), {count: needs}) : ''),
    contact: status?.last_ok_at ? _('Last contact: %(time)s', {time: moment(status.last_ok_at, i18n.language)}) : _('No contact with the server yet.'),
    problem: problemLine(status, _),
    must_sign_in: !person || Boolean(status?.needs_sign_in),
    groups: await Promise.all([...groups].map(([visit, list], i) => groupView(visit, list, i, store, _))),
  }
}

function problemLine(status, _) {
  if (!status || status.needs_sign_in) return ''
  if (status.online === 'no') return _('No contact with the server. It is tried again by itself.')
  return status.problem ? _('The server answered in a way the app does not know (%(code)s).', {code: String(status.problem)}) : ''
}

async function groupView(visit, rows, index, store, _) {
  const file = visit ? await store.visit(visit).catch(() => null) : null
  const {street = '', apartment = ''} = file?.tenancy ?? {}
  const address = [street, apartment].filter(Boolean).join(', ')
  return {
    heading: address || (visit ? _('A visit without address') : _('Not tied to a visit')),
    href: file ? `/field/visits/${visit}` : '',
    rows,
  }
}

function operationRow(row, i18n) {
  const {_} = i18n
  const held = row.state === 'needs' ? explain(row.problem, i18n) : {reason: '', remedy: ''}
  const waits = row.state === 'waits' ? _('Waits for %(name)s to sign in', {name: row.by_name || _('someone else')}) : ''
  return {
    id: row.id, what: describe(row, i18n), when: moment(row.at, i18n.language), who: row.by_name ?? '',
    state: row.state, reason: held.reason || waits, remedy: held.remedy, comment: row.comment ?? '',
  }
}

// The file is made from what the outbox says, not from the page. It bypasses htmx: a download is
// no swap.
globalThis.document?.addEventListener('click', async event => {
  const button = event.target.closest?.('[data-export]')
  if (!button) return
  const {openStore} = await import('../store.js')
  try {
    const rows = await unsent(await openStore())
    const file = new Blob([JSON.stringify({troskel: 'unsent', made_at: new Date().toISOString(), operations: rows}, null, 1)], {type: 'application/json'})
    const link = document.createElement('a')
    link.href = URL.createObjectURL(file)
    link.download = `troskel-${new Date().toISOString().slice(0, 10)}.json`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  } catch (error) {
    console.error(error)
    toast(String(error?.message ?? error), true)
  }
})
