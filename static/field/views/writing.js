// What is written in words: notes and follow-ups, and striking them out. Short, about the thing;
// an item that may reveal something about a person offers no words at all (docs/domain.md 3, mark ●).

import {sectionView} from '../models/view_models.js'
import {page, redirect, refuse} from '../page/router.js'
import {uuid7} from '../record/ids.js'
import {addressOf, openVisit, save, views} from './context.js'

const TEXT_MAX = 280
const QUEUES = ['FV', 'KT', 'BK', 'UT', 'HY', 'BS', 'TS', 'BR', 'SE', 'HJ', 'BA', 'MK', 'CH']
const URGENCIES = ['now', 'same_day', 'three_days', 'fourteen_days']

/** The item a text is about, as its section shows it; an empty one for the whole visit. */
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
  const row = sectionView(...views(scene), item.section).rows.find(one => one.key === key)
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

const textOf = form => (form.get('text') ?? '').replace(/\r\n/g, '\n').trim()

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

async function saveNote(call) {
  const {_} = call.i18n
  const scene = await openVisit(call)
  if (scene.failed) return refuse(_('This visit is not on this phone'), 404)
  const about = aboutOf(scene, call.form.get('item') ?? '')
  const text = textOf(call.form)
  if (!text) return refuse(_('Write what it is about.'))
  if ([...text].length > TEXT_MAX) return refuse(_('At most 280 characters.'))
  if (!about.free_text) return refuse(_('This point takes no words.'))
  await save(call, [{kind: 'visit.note', data: {item: about.item, text}}])
  return redirect(about.back, {toast: _('Saved on this phone')})
}

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

async function saveFollowUp(call) {
  const {_} = call.i18n
  const scene = await openVisit(call)
  if (scene.failed) return refuse(_('This visit is not on this phone'), 404)
  const about = aboutOf(scene, call.form.get('item') ?? '')
  const [queue, urgency, text] = [
    call.form.get('queue'),
    call.form.get('urgency'),
    textOf(call.form),
  ]
  if (!QUEUES.includes(queue) || !URGENCIES.includes(urgency))
    return refuse(_('Choose who takes it and how soon.'))
  if ([...text].length > TEXT_MAX) return refuse(_('At most 280 characters.'))
  if (text && !about.free_text) return refuse(_('This point takes no words.'))
  await save(call, [{kind: 'visit.follow_up', data: {item: about.item, queue, urgency, text}}])
  return redirect(about.back, {toast: _('Saved on this phone')})
}

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
