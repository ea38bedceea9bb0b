// The few things on a visit's pages that need a script beside htmx: the counter and word warning
// of a text, the signature pad, the camera, reading aloud, a link to hand on. Each is bound by data attributes after every swap;
// none of them stores or sends anything.

import {recordingOf} from '../guide/recordings.js'
import {takePhoto} from './camera.js'
import {share} from './share.js'
import {attachPad} from './signature.js'
import {warningWord} from './warning_words.js'

const pads = new WeakMap()
const cameBack = new WeakSet()

function countText(field) {
  const left = document.getElementById(`${field.id}-left`)
  const warning = document.getElementById(`${field.id}-warning`)
  if (left) left.textContent = `${[...field.value].length}/${field.maxLength}`
  if (!warning) return
  const word = warningWord(field.value)
  warning.hidden = !word
  if (word) warning.textContent = field.dataset.warning.replace('{word}', word)
}

/** The voice that reads `language` on this phone itself, or undefined. Never one that sends the text away.
 * @param {Array<{lang: string, localService: boolean}>} voices @param {string} language */
export function localVoice(voices, language) {
  const wanted = language.toLowerCase().split('-')[0]
  return voices.find(
    voice => voice.localService && voice.lang.toLowerCase().split(/[-_]/)[0] === wanted,
  )
}

let playing = null

/** A person's recording, else the phone's own voice where a machine may read it, else no button. */
async function offerAloud(button) {
  const {aloud, voice, recording, facts} = button.dataset
  const speech = globalThis.speechSynthesis
  const spoken = voice === 'true' && speech && localVoice(speech.getVoices(), aloud)
  const recorded = recording ? await recordingOf(aloud, recording, JSON.parse(facts)) : null
  button.hidden = !spoken && !recorded
}

function hush() {
  globalThis.speechSynthesis?.cancel()
  playing?.pause()
  if (playing) URL.revokeObjectURL(playing.src)
  playing = null
}

async function readAloud(button) {
  const {aloud, recording, facts} = button.dataset
  const speech = globalThis.speechSynthesis
  if (playing) return hush()
  const recorded = recording ? await recordingOf(aloud, recording, JSON.parse(facts)) : null
  if (recorded) {
    playing = new Audio(URL.createObjectURL(recorded))
    playing.addEventListener('ended', hush)
    return playing.play()
  }
  if (speech.speaking) return speech.cancel()
  const spoken = new SpeechSynthesisUtterance(document.getElementById('tenant-words').innerText)
  spoken.voice = localVoice(speech.getVoices(), button.dataset.aloud)
  spoken.lang = button.dataset.aloud
  spoken.rate = 0.9
  speech.speak(spoken)
}

/** Back from a form or the turned screen: the item one came from, not the top of the section. */
function comeBack(list) {
  if (cameBack.has(list)) return
  cameBack.add(list)
  // After the frame's own scrolling to the top of a new page.
  requestAnimationFrame(() =>
    document.getElementById(list.dataset.at)?.scrollIntoView({block: 'center'}),
  )
}

function bind(root) {
  for (const list of root.querySelectorAll('[data-at]')) comeBack(list)
  for (const canvas of root.querySelectorAll('canvas[data-signature]')) {
    if (!pads.has(canvas))
      pads.set(canvas, attachPad(canvas, document.getElementById(canvas.dataset.signature)))
  }
  for (const button of root.querySelectorAll('[data-aloud]')) void offerAloud(button)
}

/** @param {Document} document */
export function watchPage(document) {
  document.addEventListener('input', ({target}) => {
    if (target.matches?.('[data-counts]')) countText(target)
  })
  document.addEventListener('change', ({target}) => {
    if (target.matches?.('[data-photo]')) void takePhoto(target)
  })
  document.addEventListener('click', ({target}) => {
    const clears = target.closest?.('[data-clears]')
    if (clears) pads.get(document.getElementById(clears.dataset.clears))?.clear()
    const aloud = target.closest?.('[data-aloud]')
    if (aloud) void readAloud(aloud)
    const shares = target.closest?.('[data-shares]')
    if (shares) void share(shares)
  })
  document.addEventListener('htmx:after:swap', () => {
    hush()
    bind(document)
  })
  // Voices arrive after the page on most phones.
  globalThis.speechSynthesis?.addEventListener?.('voiceschanged', () => bind(document))
}
