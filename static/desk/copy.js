// Copies the text of the element that a button names, and confirms it on the button. Without this,
// or where a browser refuses, the text can be selected by hand.

document.addEventListener('click', async event => {
  const button = event.target.closest?.('[data-copies]')
  if (!button) return
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).innerText)
    button.textContent = button.dataset.copied
  } catch {
    /* an old browser, or not allowed: select it by hand */
  }
})
