// What this browser remembers of a person's taste. Where it may keep nothing, the taste lasts as long as the page.

export function recall(name: string): string | undefined {
  try {
    return localStorage.getItem(`obscura.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`obscura.${name}`, value);
  } catch {
    // A private window: nothing is lost but the taste.
  }
}
