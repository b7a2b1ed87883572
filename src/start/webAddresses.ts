// Where the web server answers, as people would type it.
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';

type Listening = Pick<AddressInfo, 'address' | 'port'>;

const anywhere: ReadonlySet<string> = new Set(['::', '0.0.0.0']);
const usualPorts = { http: 80, https: 443 } as const;

/** Encrypted ones first; by name where the whole network is served. */
export function webAddresses(
  { http, https }: { readonly http: Listening | undefined; readonly https: Listening | undefined },
  machine: readonly string[],
  hostname: string,
): string[] {
  const of = (scheme: keyof typeof usualPorts, listening: Listening | undefined): string[] => {
    if (listening === undefined) return [];
    const { address, port } = listening;
    const ofFamily = address === '::' ? machine : machine.filter((each) => !each.includes(':'));
    const hosts = anywhere.has(address) ? [hostname, ...ofFamily] : [address];
    const at = port === usualPorts[scheme] ? '' : `:${String(port)}`;
    return hosts.map((host) => `${scheme}://${host.includes(':') ? `[${host}]` : host}${at}/`);
  };
  return [...of('https', https), ...of('http', http)];
}

/** Those that others reach it by: not its own loop, and not those that mean another machine on every cable. */
export function machineAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
}
