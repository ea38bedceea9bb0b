// A signature drawn with a finger, as SVG bytes. The bytes do not go through htmx (a form carries
// strings and would lose them): the page holds them under their hash, the form carries the hash,
// and the handler takes them when it saves. Lines only are kept, no times and no pressure: neither
// proves more, and both reveal something about a body.

import SignaturePad from 'signature_pad'
import {sha256} from '../record/ids.js'

const BYTES_MAX = 12 * 1024 // rides along in a push (PROTOCOL.md section 8)
/** @type {Map<string, ArrayBuffer>} by hash; until it is saved or the page goes */
const drawn = new Map()

/**
 * Bytes of a drawn signature, or undefined where this page does not hold them.
 * @param {string} hash @returns {ArrayBuffer|undefined}
 */
export const drawnSignature = hash => drawn.get(hash)

/**
 * Hold bytes for the handler under their hash.
 * @param {ArrayBuffer} bytes @returns {Promise<string>}
 */
export async function holdSignature(bytes) {
  const hash = await sha256(bytes)
  drawn.set(hash, bytes)
  return hash
}

/** @param {{x: number, y: number}} point */
const point = ({x, y}) => `${Math.round(x)} ${Math.round(y)}`

/**
 * One stroke as a path: through the middles of its points, which smooths what a finger jags.
 * @param {Array<{x: number, y: number}>} points
 */
function stroke(points) {
  const last = points[points.length - 1]
  if (points.length < 3) return `M${point(points[0])}L${point(last)}`
  let path = `M${point(points[0])}`
  for (let i = 1; i < points.length - 1; i++) {
    const middle = {x: (points[i].x + points[i + 1].x) / 2, y: (points[i].y + points[i + 1].y) / 2}
    path += `Q${point(points[i])} ${point(middle)}`
  }
  return `${path}L${point(last)}`
}

/**
 * Strokes as a small SVG file; every second point is left out until it fits.
 * @param {Array<{points: Array<{x: number, y: number}>}>} strokes
 * @param {number} width @param {number} height @returns {string}
 */
export function signatureSvg(strokes, width, height) {
  let lines = strokes.map(one => one.points).filter(points => points.length > 0)
  for (;;) {
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.round(width)} ${Math.round(height)}">` +
      `<path d="${lines.map(stroke).join('')}" fill="none" stroke="#000" stroke-width="2.5" ` +
      'stroke-linecap="round" stroke-linejoin="round"/></svg>'
    if (svg.length <= BYTES_MAX || lines.every(points => points.length <= 2)) return svg
    lines = lines.map(points => points.filter((_, i) => i % 2 === 0 || i === points.length - 1))
  }
}

/**
 * Let people draw on `canvas`; `field` (a hidden input) always names what is drawn, "" when empty.
 * @param {HTMLCanvasElement} canvas @param {HTMLInputElement} field
 * @returns {{clear: () => void}}
 */
export function attachPad(canvas, field) {
  const ratio = Math.max(window.devicePixelRatio || 1, 1)
  const {clientWidth: width, clientHeight: height} = canvas
  canvas.width = width * ratio
  canvas.height = height * ratio
  canvas.getContext('2d')?.scale(ratio, ratio)
  const pad = new SignaturePad(canvas, {minWidth: 1.25, maxWidth: 2.5})
  let turn = 0
  const keep = async () => {
    const mine = ++turn
    const bytes = new TextEncoder().encode(signatureSvg(pad.toData(), width, height)).buffer
    const hash = await holdSignature(bytes)
    if (mine === turn) field.value = hash // an older stroke's hash must not land on a newer drawing
  }
  pad.addEventListener('beginStroke', () => {
    canvas.dataset.dirty = ''
  })
  pad.addEventListener('endStroke', () => void keep())
  return {
    clear() {
      turn++
      pad.clear()
      field.value = ''
      delete canvas.dataset.dirty
    },
  }
}
