import { expect, it } from 'vitest';
import { webAddresses } from '../../src/start/webAddresses.js';

const machine = ['192.168.1.20', '2001:db8::5'];

it('names every way to the page, encrypted ones first and usual ports left out', () => {
  const everywhere = { http: { address: '::', port: 80 }, https: { address: '::', port: 8081 } };
  expect(webAddresses(everywhere, machine, 'garden')).toEqual([
    'https://garden:8081/',
    'https://192.168.1.20:8081/',
    'https://[2001:db8::5]:8081/',
    'http://garden/',
    'http://192.168.1.20/',
    'http://[2001:db8::5]/',
  ]);
});

it('names only what is listened on', () => {
  const here = { http: { address: '127.0.0.1', port: 8080 }, https: undefined };
  expect(webAddresses(here, machine, 'garden')).toEqual(['http://127.0.0.1:8080/']);
  const old = { http: { address: '0.0.0.0', port: 8080 }, https: undefined };
  expect(webAddresses(old, machine, 'garden')).toEqual(['http://garden:8080/', 'http://192.168.1.20:8080/']);
});
