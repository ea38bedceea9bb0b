// Notes and follow-ups in free text, and striking them out. An item that may reveal something about
// a person takes no free text at all (docs/domain.md 3, mark ●).

/** @typedef {import('../models/view_texts.js').View} View */
/** @typedef {import('./context.js').VisitScene} VisitScene */

import {QUEUES, TEXT_CHARACTERS_MAX, URGENCIES} from '../../build/constants.js'
import {sectionView} from '../models/view_models.js'
import {page, redirect, refuse} from '../page/router.js'
import {uuid7} from '../record/ids.js'
import {addressOf, openVisit, save, views} from './context.js'

/** @import {Call, Form} from '../page/shapes.d.ts' */

/**
 * The item a text is about, as its section shows it; an empty one for the whole visit.
 * @param {VisitScene} scene @param {string} key
 */
function aboutOf(scene, key) {
  const item = Object.hasOwn(scene.packs.sv.items, key) ? scene.packs.sv.items[key] : null
  if (!item)
    return {
      item: '',
      item_label: '',
      answered: '',
      free_text: true,
      queue: '',
      urgency: '',
      back: scene.url,
    }
  const row = sectionView(...views(scene), item.section).rows.find(
    (/** @type {View} */ one) => one.key === key,
  )
  return {
    item: key,
    item_label: row.label,
    answered: row.answered,
    free_text: row.free_text,
    queue: row.offer_queue,
    urgency: row.offer_urgency,
    back: `${scene.url}/s/${item.section}?at=${key}`,
  }
}

/** @param {Form} form */
const textOf = form => (form.get('text') ?? '').replace(/\r\n/g, '\n').trim()

/** @param {Call} call */
async function noteForm(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const about = aboutOf(scene, call.query.get('item') ?? '')
  if (!about.free_text) return redirect(about.back)
  return page('field/note.html', {
    title: call.i18n._('Note'),
    url: scene.url,
    address: addressOf(scene),
    operation: uuid7(),
    ...about,
  })
}

/** @param {Call} call */
async function saveNote(call) {
  const {_} = call.i18n
  const scene = await openVisit(call)
  if (scene.failed) return refuse(_('This visit is not on this phone'), 404)
  const about = aboutOf(scene, call.form.get('item') ?? '')
  const text = textOf(call.form)
  if (!text) return refuse(_('Write what it is about.'))
  if ([...text].length > TEXT_CHARACTERS_MAX) return refuse(_('At most 280 characters.'))
  if (!about.free_text) return refuse(_('This point takes no words.'))
  await save(call, [{kind: 'visit.note', data: {item: about.item, text}}])
  return redirect(about.back, {toast: _('Saved on this phone')})
}

/** @param {Call} call */
async function followUpForm(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const about = aboutOf(scene, call.query.get('item') ?? '')
  const chosen = {queue: about.queue || 'KT', urgency: about.urgency || 'three_days'}
  return page('field/follow_up.html', {
    title: call.i18n._('Follow-up'),
    url: scene.url,
    address: addressOf(scene),
    operation: uuid7(),
    ...about,
    queues: QUEUES.map(code => ({code, chosen: code === chosen.queue})),
    urgencies: URGENCIES.map(code => ({code, chosen: code === chosen.urgency})),
  })
}

/** @param {Call} call */
async function saveFollowUp(call) {
  const {_} = call.i18n
  const scene = await openVisit(call)
  if (scene.failed) return refuse(_('This visit is not on this phone'), 404)
  const about = aboutOf(scene, call.form.get('item') ?? '')
  const queue = call.form.get('queue') ?? ''
  const urgency = call.form.get('urgency') ?? ''
  const text = textOf(call.form)
  if (!QUEUES.includes(queue) || !URGENCIES.includes(urgency))
    return refuse(_('Choose who takes it and how soon.'))
  if ([...text].length > TEXT_CHARACTERS_MAX) return refuse(_('At most 280 characters.'))
  if (text && !about.free_text) return refuse(_('This point takes no words.'))
  await save(call, [{kind: 'visit.follow_up', data: {item: about.item, queue, urgency, text}}])
  return redirect(about.back, {toast: _('Saved on this phone')})
}

/** @param {Call} call */
async function strike(call) {
  await save(call, [{kind: 'visit.retract', data: {operation: call.form.get('target')}}])
  return redirect(`/field/visits/${call.params.id}/read-back`, {toast: call.i18n._('Struck out')})
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/visits/:id/note', noteForm)
  routes.add('POST', '/field/visits/:id/note', saveNote)
  routes.add('GET', '/field/visits/:id/follow-up', followUpForm)
  routes.add('POST', '/field/visits/:id/follow-up', saveFollowUp)
  routes.add('POST', '/field/visits/:id/retract', strike)
}
