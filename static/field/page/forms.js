// What people have typed or tapped, and messages about it. Invariant: a control shows what is
// stored; a text that could not be saved stays where it was typed.

import {byId} from './dom.js'

const SAVES_ITSELF = '[hx-post]:is(input[type=checkbox], input[type=radio], select)'

/**
 * Put a control that saves itself back to what was rendered, which is what is stored. Texts are
 * left alone: never take away what someone wrote.
 * @param {any} element whose request was refused
 */
export function restoreControl(element) {
  if (!element?.matches?.(SAVES_ITSELF)) return
  if (element instanceof HTMLSelectElement) {
    for (const option of element.options) option.selected = option.defaultSelected
  } else if (element.type === 'radio') {
    const root = element.form ?? element.getRootNode()
    for (const radio of root.querySelectorAll(
      `input[type=radio][name="${CSS.escape(element.name)}"]`,
    )) {
      radio.checked = radio.defaultChecked
    }
  } else {
    element.checked = element.defaultChecked
  }
}

/**
 * After a morph: htmx copies the attribute `checked`, but a control that was tapped follows its
 * property.
 * @param {unknown} target what was swapped
 */
export function settleControls(target) {
  if (!(target instanceof Element)) return
  for (const element of target.querySelectorAll(SAVES_ITSELF)) restoreControl(element)
}

/**
 * Whether something in `root` has been typed or chosen and not saved.
 * @param {Element} root @returns {boolean}
 */
export function isDirty(root) {
  if (root.querySelector('[data-dirty]')) return true
  /** @type {NodeListOf<HTMLInputElement|HTMLTextAreaElement|HTMLSelectElement>} */
  const fields = root.querySelectorAll('input, textarea, select')
  for (const field of fields) {
    if (field.matches(SAVES_ITSELF) || field.type === 'hidden') continue
    if (field instanceof HTMLSelectElement) {
      const preset = [...field.options].some(option => option.defaultSelected)
      if (
        [...field.options].some(
          (option, i) => option.selected !== (preset ? option.defaultSelected : i === 0),
        )
      )
        return true
    } else if (field instanceof HTMLInputElement && /^(checkbox|radio)$/.test(field.type)) {
      if (field.checked !== field.defaultChecked) return true
    } else if (field.value !== field.defaultValue) return true
  }
  return false
}

/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer

/**
 * Show a message at the lower edge. Errors stay until they are tapped away.
 * @param {string} text @param {boolean} [bad]
 */
export function toast(text, bad = false) {
  const box = byId('toast')
  clearTimeout(timer)
  box.textContent = text
  box.classList.toggle('bad', bad)
  box.hidden = false
  box.onclick = () => {
    box.hidden = true
  }
  if (!bad)
    timer = setTimeout(() => {
      box.hidden = true
    }, 4000)
}

/** Take an error away: what was refused has been done since, or given up. */
export function settleToast() {
  const box = byId('toast')
  if (box.classList.contains('bad')) box.hidden = true
}
