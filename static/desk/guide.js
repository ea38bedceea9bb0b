// Reviewing with the keyboard: when a text is approved its button is gone, and the next one waits.
//
// It moves the focus and nothing else; without it every text can still be reached with Tab.

let left = ''

document.addEventListener('htmx:before:request', event => {
  left = event.target.closest?.('.guide-text')?.id ?? ''
})

document.addEventListener('htmx:after:swap', () => {
  const text = left && document.getElementById(left)
  left = ''
  if (!text || document.activeElement !== document.body) return
  const waiting = [...document.querySelectorAll('.guide-approve')]
  const next = waiting.find(
    one => text.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING,
  )
  ;(next ?? text.querySelector('summary'))?.focus()
})
