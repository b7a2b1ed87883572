// Which page is shown, as the part of the address after `#`: `#/settings/stream`. The server need know no page by name,
// and no page can ever stand in the way of an address of the API.

class Route {
  #parts = $state.raw(partsOf(location.hash));

  constructor() {
    addEventListener('hashchange', () => {
      this.#parts = partsOf(location.hash);
    });
  }

  get page(): string {
    return this.#parts[0] ?? '';
  }

  /** What stands after the page. */
  get place(): string | undefined {
    return this.#parts[1];
  }
}

function partsOf(hash: string): readonly string[] {
  return hash
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => decodePart(part));
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = new Route();
