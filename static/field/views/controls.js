// The few things on a visit's pages that need a script beside htmx: the counter and word warning of
// a text, the signature pad, the camera, reading aloud, sharing a link. Each is bound by data
// attributes after every swap; none of them stores or sends anything.

import {recordingOf} from '../guide/recordings.js'
import {byId} from '../page/dom.js'
import {takePhoto} from './camera.js'
import {share} from './share.js'
import {attachPad} from './signature.js'
import {warningWord} from './warning_words.js'

/** @type {WeakMap<Element, {clear: () => void}>} canvas → pad */
const pads = new WeakMap()
const cameBack = new WeakSet()

/** @param {HTMLTextAreaElement} field */
function countText(field) {
  const left = document.getElementById(`${field.id}-left`)
  const warning = document.getElementById(`${field.id}-warning`)
  if (left) left.textContent = `${[...field.value].length}/${field.maxLength}`
  if (!warning) return
  const word = warningWord(field.value)
  warning.hidden = !word
  if (word) warning.textContent = (field.dataset.warning ?? '').replace('{word}', word)
}

/**
 * The voice that reads `language` on this phone itself, or undefined. Never one that sends the text
 * away.
 * @template {{lang: string, localService: boolean}} Voice
 * @param {Voice[]} voices @param {string} language
 */
export function localVoice(voices, language) {
  const wanted = language.toLowerCase().split('-')[0]
  return voices.find(
    voice => voice.localService && voice.lang.toLowerCase().split(/[-_]/)[0] === wanted,
  )
}

/** @type {HTMLAudioElement|null} */
let playing = null

/**
 * A person's recording, else the phone's own voice where a machine may read it, else no button.
 * @param {HTMLElement} button
 */
async function offerAloud(button) {
  const {aloud = '', voice} = button.dataset
  const speech = globalThis.speechSynthesis
  const spoken = voice === 'true' && speech && localVoice(speech.getVoices(), aloud)
  const recorded = await recordingFor(button.dataset)
  button.hidden = !spoken && !recorded
}

function stopReading() {
  globalThis.speechSynthesis?.cancel()
  playing?.pause()
  if (playing) URL.revokeObjectURL(playing.src)
  playing = null
}

/** @param {DOMStringMap} data of the button @returns {Promise<Blob|null>} */
async function recordingFor({aloud = '', recording, facts = '{}'}) {
  return recording ? recordingOf(aloud, recording, JSON.parse(facts)) : null
}

/** @param {HTMLElement} button */
async function readAloud(button) {
  const {aloud = ''} = button.dataset
  const speech = globalThis.speechSynthesis
  if (playing) return stopReading()
  const recorded = await recordingFor(button.dataset)
  if (recorded) {
    playing = new Audio(URL.createObjectURL(recorded))
    playing.addEventListener('ended', stopReading)
    return playing.play()
  }
  if (speech.speaking) return speech.cancel()
  const spoken = new SpeechSynthesisUtterance(byId('tenant-words').innerText)
  spoken.voice = localVoice(speech.getVoices(), aloud) ?? null
  spoken.lang = aloud
  spoken.rate = 0.9
  speech.speak(spoken)
}

/**
 * Back from a form or the turned screen: to the item one came from, not the top of the section.
 * @param {HTMLElement} list
 */
function comeBack(list) {
  if (cameBack.has(list)) return
  cameBack.add(list)
  // After the frame's own scrolling to the top of a new page.
  requestAnimationFrame(() =>
    document.getElementById(list.dataset.at ?? '')?.scrollIntoView({block: 'center'}),
  )
}

/** @param {Document} root */
function bind(root) {
  /** @type {NodeListOf<HTMLElement>} */
  const lists = root.querySelectorAll('[data-at]')
  for (const list of lists) comeBack(list)
  /** @type {NodeListOf<HTMLCanvasElement>} */
  const canvases = root.querySelectorAll('canvas[data-signature]')
  for (const canvas of canvases) {
    if (pads.has(canvas)) continue
    const field = /** @type {HTMLInputElement} */ (byId(canvas.dataset.signature ?? ''))
    pads.set(canvas, attachPad(canvas, field))
  }
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = root.querySelectorAll('[data-aloud]')
  for (const button of buttons) void offerAloud(button)
}

/** @param {Document} document */
export function watchPage(document) {
  document.addEventListener('input', event => {
    const target = /** @type {HTMLTextAreaElement} */ (event.target)
    if (target.matches?.('[data-counts]')) countText(target)
  })
  document.addEventListener('change', event => {
    const target = /** @type {HTMLInputElement} */ (event.target)
    if (target.matches?.('[data-photo]')) void takePhoto(target)
  })
  document.addEventListener('click', event => {
    const within = (/** @type {string} */ selector) =>
      /** @type {HTMLElement|null|undefined} */ (
        /** @type {Element} */ (event.target).closest?.(selector)
      )
    const clears = within('[data-clears]')
    if (clears) pads.get(byId(clears.dataset.clears ?? ''))?.clear()
    const aloud = within('[data-aloud]')
    if (aloud) void readAloud(aloud)
    const shares = within('[data-shares]')
    if (shares) void share(shares)
  })
  document.addEventListener('htmx:after:swap', () => {
    stopReading()
    bind(document)
  })
  // Voices arrive after the page on most phones.
  globalThis.speechSynthesis?.addEventListener?.('voiceschanged', () => bind(document))
}
