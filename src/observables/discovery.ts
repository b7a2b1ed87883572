// How other devices and programs find this one in the network.
import { Type } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { network } from './groups.js';

export const onvifEnabled = defineObservable('onvifEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'ONVIF',
  description: 'Whether recorders and video management systems can use the camera over ONVIF.',
  ...network,
  save: true,
  effect: 'live',
});

export const onvifDiscoverable = defineObservable('onvifDiscoverable', {
  schema: Type.Boolean(),
  default: true,
  title: 'ONVIF discovery',
  description: 'Whether the camera answers when ONVIF clients search the network.',
  ...network,
  save: true,
  effect: 'live',
});

export const mdnsEnabled = defineObservable('mdnsEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'mDNS',
  description: 'Whether the camera announces its name and services in the local network.',
  ...network,
  save: true,
  effect: 'live',
});
