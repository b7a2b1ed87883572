// What the server says of a stream, out of the values that it sends.
import type { SettingValue } from '../../client/index.js';
import type { StreamName } from './reception.js';

type Statistics = SettingValue<'statistics'>;
type Steering = SettingValue<'adaptiveState'>['streams'][string];

export function statisticsOf(value: unknown, stream: StreamName): Statistics[StreamName] | undefined {
  return (value as Statistics | undefined)?.[stream];
}

/** Undefined while the bitrate does not follow the network. */
export function steeringOf(value: unknown, stream: StreamName): Steering | undefined {
  const state = value as SettingValue<'adaptiveState'> | undefined;
  return state?.active === true ? state.streams[stream] : undefined;
}
