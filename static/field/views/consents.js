// Consents: each its own question, none preselected, a no as good as a yes. A yes is kept with the
// exact words that were shown and their hash, and only where they can have been understood: on a
// text that no native speaker has reviewed, an interpreter or ambassador must be present
// (docs/design.md 6.6).

/** @typedef {import('../models/view_texts.js').View} View */
/** @typedef {import('./context.js').VisitScene} VisitScene */

import {placeholders} from '../guide/fill.js'
import {consentView, visitView} from '../models/view_models.js'
import {fragment, page, redirect, refuse} from '../page/router.js'
import {sha256, uuid7} from '../record/ids.js'
import {addressOf, openVisit, save, todayOf, views} from './context.js'
import {forgetRecipient, keepRecipient, recipientShown} from './recipient.js'
import {drawnSignature} from './signature.js'

/** @import {Call, Form} from '../page/shapes.d.ts' */

const INTERPRETERS = ['none', 'staff', 'ambassador', 'on_site', 'telephone']
// Staff who happen to speak the language are the ones asking: they are not an interpreter.
const PRESENT = ['ambassador', 'on_site', 'telephone']
const UNDERSTOOD = ['original', 'reviewed']

/**
 * Whether a yes on these words needs someone who explains them.
 * @param {View} consent @param {string} tenant language tag
 */
export const mustInterpret = (consent, tenant) =>
  consent.shown_tag !== tenant || !UNDERSTOOD.includes(consent.shown_state)

/**
 * The day a consent ends: `from` plus the guide's months or weeks; "" where an event ends it.
 * @param {{expires_months: number, expires_weeks: number}} consent @param {string} from
 * @returns {string}
 */
export function expiryOf({expires_months: months, expires_weeks: weeks}, from) {
  if (!months && !weeks) return ''
  const [year, month, day] = from.split('-').map(Number)
  const end = new Date(Date.UTC(year, month - 1 + months, 1))
  const last = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate()
  end.setUTCDate(Math.min(day, last) + weeks * 7)
  return end.toISOString().slice(0, 10)
}

/** @param {VisitScene} scene @param {string} purpose */
const has = (scene, purpose) => Object.hasOwn(scene.packs.sv.consents, purpose)

/**
 * Whether the words lack a fact of the company: the sentence that needs it is not shown then, and
 * nobody can say yes to it.
 * @param {VisitScene} scene @param {string} purpose
 */
const isIncomplete = ({packs, file}, purpose) =>
  placeholders(packs.sv.texts[`${purpose}.text`]).some(
    key => key !== 'recipient' && !file.settings?.[key],
  )

/** @param {VisitScene} scene @param {string} purpose @param {string} recipient */
const viewOf = (scene, purpose, recipient) =>
  consentView(scene.file, scene.packs, scene.languages, scene.people, purpose, recipient)

/** @param {Call} call */
async function list(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  return page('field/consents.html', {
    title: call.i18n._('Consents'),
    visit: visitView(...views(scene)),
    url: scene.url,
  })
}

/**
 * The stored bytes of a signature as an address for an image; "" where they are not on this phone.
 * @param {import('../store/store.js').Store} store @param {string} hash
 */
async function signatureSource(store, hash) {
  const blob = hash ? await store.blob(hash) : null
  if (!blob) return ''
  const text = new TextDecoder().decode(blob.bytes)
  return `data:image/svg+xml,${encodeURIComponent(text)}`
}

/** @param {Call} call */
async function show(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const {purpose} = call.params
  if (!has(scene, purpose)) return redirect(`${scene.url}/consents`)
  const {recipient: agreed} = visitView(...views(scene)).consents.find(
    (/** @type {View} */ one) => one.purpose === purpose,
  )
  const consent = viewOf(scene, purpose, recipientShown(call.params.id, purpose, agreed))
  return page('field/consent.html', {
    title: consent.heading,
    consent,
    url: scene.url,
    address: addressOf(scene),
    operation: uuid7(),
    withdraw_operation: uuid7(),
    interpreters: INTERPRETERS,
    must_interpret: mustInterpret(consent, scene.languages.tenant),
    came_back: call.query.has('saved'),
    signature_source: await signatureSource(call.store, consent.event.signature ?? ''),
  })
}

/** @param {Form} form */
const recipientOf = form => (form.get('recipient') ?? '').trim().slice(0, 120)

/** @param {Call} call */
async function wording(call) {
  const scene = await openVisit(call)
  if (scene.failed || !has(scene, call.params.purpose))
    return refuse(call.i18n._('This visit is not on this phone'), 404)
  keepRecipient(call.params.id, call.params.purpose, recipientOf(call.form))
  const consent = viewOf(scene, call.params.purpose, recipientOf(call.form))
  return fragment('field/consent_wording.html', {
    consent,
    url: scene.url,
    must_interpret: mustInterpret(consent, scene.languages.tenant),
  })
}

/**
 * Why a yes cannot be saved, in words; "" where it can.
 * @param {VisitScene} scene @param {View} consent
 * @param {{purpose: string, recipient: string, interpreter: string, isProved: boolean}} given
 * @param {import('../i18n.js').I18n['_']} _
 */
function hindranceOf(scene, consent, {purpose, recipient, interpreter, isProved}, _) {
  if (isIncomplete(scene, purpose)) {
    return _(
      'This text lacks a fact about the company, so nobody can say yes to it yet. Tell your supervisor.',
    )
  }
  if (scene.packs.sv.consents[purpose].recipient === 'named' && !recipient)
    return _('Write who exactly may know. A yes must name them.')
  if (mustInterpret(consent, scene.languages.tenant) && !PRESENT.includes(interpreter)) {
    return _(
      'A yes on this text needs an interpreter or an ambassador. Say who interprets, or record a no.',
    )
  }
  return isProved ? '' : _('A yes needs a signature, or that you attest what you heard.')
}

/** @param {Call} call */
async function decide(call) {
  const {
    form,
    i18n: {_},
    params: {purpose},
  } = call
  const scene = await openVisit(call)
  if (scene.failed || !has(scene, purpose)) return refuse(_('This visit is not on this phone'), 404)
  const structure = scene.packs.sv.consents[purpose]
  const decision = form.get('decision') ?? ''
  const interpreter = form.get('interpreter') ?? ''
  const recipient = structure.recipient === 'named' ? recipientOf(form) : ''
  const consent = viewOf(scene, purpose, recipient)
  const signature = form.get('signature') ?? ''
  const attested = form.get('attested') === 'yes'
  if (!['yes', 'no'].includes(decision) || !INTERPRETERS.includes(interpreter))
    return refuse(_('Choose yes or no.'))
  const isProved = Boolean(signature) || attested
  const hindrance =
    decision === 'yes'
      ? hindranceOf(scene, consent, {purpose, recipient, interpreter, isProved}, _)
      : ''
  if (hindrance) return refuse(hindrance)
  const bytes = signature ? drawnSignature(signature) : undefined
  if (signature && !bytes)
    return refuse(_('The signature is gone from the screen. Please sign once more.'))
  await save(
    call,
    [
      {
        kind: 'visit.consent',
        data: {
          purpose,
          decision,
          text_key: `${purpose}.text`,
          text_version: String(structure.version),
          text_sha256: await sha256(new TextEncoder().encode(consent.shown)),
          text_state: consent.shown_state,
          language: consent.shown_tag,
          recipient,
          given_by: form.get('given_by') === 'representative' ? 'representative' : 'tenant',
          method: signature ? 'signature' : 'oral',
          attested: attested || !signature, // the one who taps "says no" attests having heard it
          signature,
          interpreter,
          expires: decision === 'yes' ? expiryOf(structure, todayOf(scene.facts)) : '',
        },
      },
    ],
    bytes ? [{sha256: signature, type: 'image/svg+xml', bytes}] : [],
  )
  forgetRecipient(call.params.id, purpose)
  return redirect(`${scene.url}/consents/${purpose}?saved=yes`, {toast: _('Saved on this phone')})
}

/** @param {Call} call */
async function withdraw(call) {
  const {purpose} = call.params
  await save(call, [{kind: 'visit.withdraw', data: {purpose, channel: 'visit'}}])
  return redirect(`/field/visits/${call.params.id}/consents/${purpose}?saved=yes`, {
    toast: call.i18n._('Taken back'),
  })
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/visits/:id/consents', list)
  routes.add('GET', '/field/visits/:id/consents/:purpose', show)
  routes.add('POST', '/field/visits/:id/consents/:purpose', decide)
  routes.add('POST', '/field/visits/:id/consents/:purpose/wording', wording)
  routes.add('POST', '/field/visits/:id/consents/:purpose/withdraw', withdraw)
}
