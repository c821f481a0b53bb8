/** The document's title: what leads (the worst status), the page, the program. */
class Title {
  #lead = ''
  #page = ''

  set page(text: string) {
    this.#page = text
    this.#show()
  }

  set lead(text: string) {
    this.#lead = text
    this.#show()
  }

  #show(): void {
    const name = this.#page === '' ? 'Mooring' : `${this.#page} · Mooring`
    document.title = this.#lead === '' ? name : `${this.#lead} ${name}`
  }
}

/** There is one document, hence one title. */
export const title = new Title()
