// Remembers answers by request id, so that a retry after a lost answer changes nothing twice.

const answersPerActor = 1024;
const actorsRemembered = 256;

export class RequestMemory<Answer> {
  readonly #byActor = new Map<string, Map<string, Promise<Answer>>>();

  once(actor: string, id: string, ask: () => Promise<Answer>): Promise<Answer> {
    const answers = this.#answersOf(actor);
    const known = answers.get(id);
    if (known !== undefined) return known;
    const answer = ask();
    answers.set(id, answer);
    dropOldest(answers, answersPerActor);
    return answer;
  }

  #answersOf(actor: string): Map<string, Promise<Answer>> {
    const answers = this.#byActor.get(actor) ?? new Map<string, Promise<Answer>>();
    // Moved to the end: the actor unheard of for longest is forgotten first.
    this.#byActor.delete(actor);
    this.#byActor.set(actor, answers);
    dropOldest(this.#byActor, actorsRemembered);
    return answers;
  }
}

function dropOldest(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
