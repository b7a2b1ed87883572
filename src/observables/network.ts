// The machine's place in the network. Read from the system; writable only where a network backend is configured.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineRule, Issue } from './define.js';
import { network } from './groups.js';

const hostName = Type.String({
  maxLength: 63,
  pattern: '^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$',
  patternText: 'be a host name of letters, digits and hyphens',
});
const octet = '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])';
const ipv4 = Type.String({
  maxLength: 15,
  pattern: `^(${Array(4).fill(octet).join('\\.')})?$`,
  patternText: 'be an IPv4 address such as 192.168.1.20',
});
const server = Type.String({ minLength: 1, maxLength: 253 });

export const hostname = defineObservable('hostname', {
  schema: hostName,
  default: 'obscura',
  title: 'Host name',
  description: 'Name of the machine in the network.',
  ...network,
  save: false,
  effect: 'live',
});

export const dhcpEnabled = defineObservable('dhcpEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'DHCP',
  description: 'Whether the address comes from the network.',
  ...network,
  save: false,
  effect: 'live',
});

export const ipAddress = defineObservable('ipAddress', {
  schema: ipv4,
  default: '',
  title: 'IP address',
  description: 'IPv4 address of the machine.',
  ...network,
  save: false,
  effect: 'live',
});

export const subnetMask = defineObservable('subnetMask', {
  schema: ipv4,
  default: '255.255.255.0',
  title: 'Subnet mask',
  description: 'Which addresses are in the same network.',
  ...network,
  save: false,
  effect: 'live',
});

export const gateway = defineObservable('gateway', {
  schema: ipv4,
  default: '',
  title: 'Gateway',
  description: 'The way to other networks.',
  ...network,
  save: false,
  effect: 'live',
});

export const dnsServers = defineObservable('dnsServers', {
  schema: Type.Array(server, { maxItems: 8 }),
  default: [],
  title: 'DNS servers',
  description: 'Servers that resolve names.',
  ...network,
  save: false,
  effect: 'live',
});

export const ntpEnabled = defineObservable('ntpEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'Time from the network',
  description: 'Whether the clock is set by NTP.',
  ...network,
  save: false,
  effect: 'live',
});

export const ntpServers = defineObservable('ntpServers', {
  schema: Type.Array(server, { maxItems: 8 }),
  default: ['pool.ntp.org'],
  title: 'Time servers',
  description: 'NTP servers that the clock is set by.',
  ...network,
  save: false,
  effect: 'live',
});

/** Owned by the operating system: without a backend that may configure it, nobody can write them here. */
export const ownedByTheSystem = [
  hostname,
  dhcpEnabled,
  ipAddress,
  subnetMask,
  gateway,
  dnsServers,
  ntpEnabled,
  ntpServers,
] as const;

export const fixedAddressIsComplete = defineRule([dhcpEnabled, ipAddress], (dhcp, address) =>
  dhcp || address !== '' ? undefined : new Issue('ipAddress', 'Value is needed while DHCP is off'),
);
