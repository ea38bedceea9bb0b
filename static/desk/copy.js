// Copies the text of the element that a button names, and says on the button that it has.
//
// Without it, or where a browser refuses, the text stands there to be marked by hand.

document.addEventListener('click', async event => {
  const button = event.target.closest?.('[data-copies]')
  if (!button) return
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).innerText)
    button.textContent = button.dataset.copied
  } catch {
    /* an old browser, or not allowed: mark it by hand */
  }
})
