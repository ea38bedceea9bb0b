// htmx as this app uses it: a global of the page, and its events on the document.

interface HtmxContext {
  request: {action: string; method: string; body: FormData}
  response: Response
  sourceElement: Element
  target: Element | string | null
  fetch: (url: string, init: RequestInit) => Promise<Response>
}

interface Window {
  htmx: {
    process(element: Element): void
    ajax(method: string, url: string, options: object): Promise<void>
  }
}

interface DocumentEventMap {
  'htmx:before:init': Event
  'htmx:config:request': CustomEvent<{ctx: HtmxContext}>
  'htmx:before:request': CustomEvent<{ctx: HtmxContext}>
  'htmx:after:request': CustomEvent<{ctx: HtmxContext}>
  'htmx:error': CustomEvent<{ctx?: HtmxContext}>
  'htmx:finally:request': Event
  'htmx:after:history:push': Event
  'htmx:after:swap': CustomEvent<{ctx: HtmxContext}>
}
