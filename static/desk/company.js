// Enter in a field of the company's page does what the button of its own card does.
//
// Without it the browser presses the form's first button, and the page comes back at another card.

document.addEventListener('keydown', event => {
  const card = event.target.closest?.('.company-group')
  if (event.key !== 'Enter' || event.isComposing || !card || !event.target.matches('input')) return
  event.preventDefault()
  event.target.form.requestSubmit(card.querySelector('button[name="group"]'))
})
