// "What is on this phone": the outbox in plain words. Invariant: it shows exactly what the outbox
// holds, the same list that is sent. It sends on request, and exports a file when nothing else
// helps.

/** @typedef {import('../i18n.js').I18n} I18n */
/** @typedef {import('../store/outbox.js').Listed} Listed */
/** @typedef {import('../store/store.js').Store} Store */
/** @typedef {import('../sync/schedule.js').Status} Status */
/** @typedef {ReturnType<typeof operationRow>} Row */

import {toast} from '../page/forms.js'
import {page, redirect} from '../page/router.js'
import {blobsOf} from '../record/operations.js'
import {filed, handOver, unsent} from '../store/outbox.js'
import {base64Of} from '../store/rows.js'
import {openStore} from '../store/store.js'
import {eventOf, explain, moment, plainEvent} from './words.js'

/** @import {Person} from '../record/shapes.d.ts' */
/** @import {Call, OpenCall} from '../page/shapes.d.ts' */

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/outbox', show, {anyone: true})
  routes.add('POST', '/field/outbox/send', send, {anyone: true})
  routes.add('POST', '/field/outbox/hand-over', giveOver)
}

/** @param {OpenCall} call */
async function show({store, sync, person, i18n}) {
  const rows = await unsent(store)
  return page(
    'field/outbox.html',
    await outboxView(rows, {store, status: sync?.status() ?? null, person, i18n}),
  )
}

/** @param {OpenCall} call */
async function send({sync, i18n}) {
  // The answer to "Send now" comes when the server has answered or could not be reached.
  await sync?.now()
  const status = sync?.status()
  const reached = status && status.online !== 'no' && !status.problem && !status.needs_sign_in
  return redirect(
    '/field/outbox',
    reached
      ? {}
      : {toast: i18n._('No contact with the server. Everything stays saved on this phone.')},
  )
}

/** @param {Call} call */
async function giveOver({store, form, i18n}) {
  await handOver(store, form.get('by') ?? '')
  return redirect('/field/outbox', {
    toast: i18n._('Handed over. The office gets it at the next contact, and decides.'),
  })
}

/**
 * The page's values.
 * @param {Listed[]} rows @param {{store: Store, status: Status|null, person: Person|null,
 *   i18n: I18n}} scene
 * @returns {Promise<Record<string, unknown>>}
 */
export async function outboxView(rows, {store, status, person, i18n}) {
  const {_, ngettext} = i18n
  /** @type {Map<string, Row[]>} */
  const groups = new Map()
  for (const row of rows) {
    const key = row.by === person?.id ? row.visit : `of ${row.by}`
    const shown = operationRow(row, person, i18n)
    groups.set(key, [...(groups.get(key) ?? []), shown])
  }
  const kept = await filed(store)
  const lastOk = status?.last_ok_at || (await store.facts()).last_ok_at
  const needs = rows.filter(row => row.state === 'needs').length
  return {
    title: _('What is on this phone'),
    total: rows.length,
    summary:
      rows.length === 0
        ? _('All sent. Nothing waits on this phone.')
        : _(
            ngettext(
              '%(count)s item is not settled with the server.',
              '%(count)s items are not settled with the server.',
              rows.length,
            ),
            {count: rows.length},
          ) +
          (needs
            ? ' ' +
              _(ngettext('%(count)s needs you.', '%(count)s need you.', needs), {count: needs})
            : ''),
    contact: lastOk
      ? _('Last contact: %(time)s', {time: moment(lastOk)})
      : _('No contact with the server yet.'),
    problem: problemLine(status, _),
    must_sign_in: !person || Boolean(status?.needs_sign_in),
    kept: kept.map(row => operationRow(row, person, i18n)),
    groups: await Promise.all(
      [...groups].map(([key, list]) =>
        key.startsWith('of ') ? othersView(list, person, _) : groupView(key, list, store, _),
      ),
    ),
  }
}

/** @param {Status|null} status @param {I18n['_']} _ @returns {string} */
function problemLine(status, _) {
  if (status?.problem === 'other_server') {
    return _(
      'This is not the server that this phone has worked with. Nothing is sent before you sign in; if you do not know why, ask your supervisor first.',
    )
  }
  if (!status || status.needs_sign_in) return ''
  if (status.online === 'no') return _('No contact with the server. It is tried again by itself.')
  if (status.problem === 'phone')
    return _('The phone could not finish sending. It is tried again by itself.')
  return status.problem
    ? _('The server answered in a way the app does not know (%(code)s).', {
        code: String(status.problem),
      })
    : ''
}

/**
 * What another person wrote: that it is there, and the way out when that person does not come back.
 * @param {Row[]} rows @param {Person|null} person @param {I18n['_']} _
 */
function othersView(rows, person, _) {
  const {by, who} = rows[0]
  const mayHand = person && rows.some(row => row.state === 'waits')
  return {heading: who || _('Another person'), href: '', rows, hand_over: mayHand ? by : ''}
}

/**
 * @param {string} visit "" for none @param {Row[]} rows @param {Store} store @param {I18n['_']} _
 */
async function groupView(visit, rows, store, _) {
  const file = visit ? await store.visit(visit).catch(() => null) : null
  const {street = '', apartment = ''} = file?.tenancy ?? {}
  const address = [street, apartment].filter(Boolean).join(', ')
  return {
    heading: address || (visit ? _('A visit without address') : _('Not tied to a visit')),
    href: file ? `/field/visits/${visit}` : '',
    rows,
    hand_over: '',
  }
}

/** @param {Listed} row @param {Person|null} person @param {I18n} i18n */
function operationRow(row, person, i18n) {
  const {_} = i18n
  const problem =
    row.problem === 'author_mismatch' && row.by !== person?.id ? 'handed' : row.problem
  const held = row.state === 'needs' ? explain(problem, i18n) : {reason: '', remedy: ''}
  const waits =
    row.state === 'waits'
      ? _('Waits for %(name)s to sign in', {name: row.by_name || _('someone else')})
      : ''
  return {
    id: row.id,
    by: row.by,
    event: row.kind ? eventOf(row, i18n) : plainEvent(_('Something that another person wrote')),
    when: moment(row.at),
    who: row.by_name ?? '',
    state: row.state,
    reason: held.reason || waits,
    remedy: held.remedy,
    comment: row.comment ?? '',
  }
}

/**
 * The unsent operations of the person signed in, as their exact bytes, and the pictures and
 * signatures they name (pwa/phones/rescue.py reads the file): a server that gets them by another
 * way must see the same hashes. What others wrote stays hidden, here too.
 * @param {Store} store @param {Date} now @returns {Promise<object>}
 */
export async function rescueCopy(store, now) {
  const own = new Set((await unsent(store)).filter(row => row.kind).map(row => row.id))
  const rows = [...(await store.read()).outbox.values()].filter(row => own.has(row.id))
  return {
    troskel: 'unsent',
    made_at: now.toISOString(),
    device: store.device?.id,
    operations: rows.map(({id, sha256, text}) => ({id, sha256, text})),
    blobs: (
      await Promise.all(
        [...new Set(rows.flatMap(row => (row.operation ? blobsOf(row.operation) : [])))].map(
          async sha256 => {
            const blob = await store.blob(sha256)
            return blob ? [{sha256, type: blob.type, base64: base64Of(blob.bytes)}] : []
          },
        ),
      )
    ).flat(),
  }
}

// The file is made from the outbox, not from the page. It bypasses htmx: a download is no swap.
globalThis.document?.addEventListener('click', async event => {
  const button = /** @type {Element} */ (event.target).closest?.('[data-export]')
  if (!button) return
  try {
    const file = new Blob(
      [JSON.stringify(await rescueCopy(await openStore(), new Date()), null, 1)],
      {type: 'application/json'},
    )
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
