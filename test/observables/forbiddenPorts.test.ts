import { expect, it } from 'vitest';
import { forbiddenPorts } from '../../src/observables/forbiddenPorts.js';

/** Takes the place of the network. */
const dispatcher = {
  dispatch(): never {
    throw new Error('It goes there');
  },
} as unknown as NonNullable<RequestInit['dispatcher']>;

async function goesTo(port: number): Promise<boolean> {
  const error: unknown = await fetch(`http://192.0.2.1:${String(port)}/`, { dispatcher }).catch(
    (reason: unknown) => reason,
  );
  return error instanceof Error && (error.cause as Error).message === 'It goes there';
}

it('are those to which fetch does not go, and no others', async () => {
  const known = [...forbiddenPorts].filter((port) => port !== 0);
  // Of the higher ones those beside them, for the sake of time.
  const looked = new Set([
    ...Array.from({ length: 1100 }, (_, index) => index + 1),
    ...known.flatMap((port) => [port - 1, port, port + 1]),
  ]);
  looked.delete(0);
  const refused: number[] = [];
  for (const port of [...looked].toSorted((a, b) => a - b)) if (!(await goesTo(port))) refused.push(port);
  expect(refused).toEqual(known);
});
