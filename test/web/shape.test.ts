import { describe, expect, it } from 'vitest';
import { registry } from '../../src/observables/registry.js';
import type { ValueSchema } from '../../src/web/settings/description.js';
import { shapeOf, titleOfMember } from '../../src/web/settings/shape.js';

function shape(key: keyof typeof registry) {
  const { schema, unit } = registry[key];
  // As it goes over the wire.
  return shapeOf(JSON.parse(JSON.stringify(schema)) as ValueSchema, unit);
}

describe('the control for a setting', () => {
  it('is a switch for yes or no', () => {
    expect(shape('webrtcEnabled')).toEqual({ kind: 'switch' });
  });

  it('is a choice where there are a few values, of text or of numbers', () => {
    expect(shape('encoderPreset')).toMatchObject({
      kind: 'choice',
      values: ['ultrafast', 'fast', 'medium', 'slow'],
    });
    expect(shape('videoRotation').kind).toBe('choice');
  });

  it('has a slider where a hand can find the value with it', () => {
    expect(shape('brightness')).toMatchObject({ kind: 'number', lowest: 0, highest: 100, slide: 1 });
    expect(shape('streamBitrate')).toMatchObject({ kind: 'number', slide: 500_000 });
    expect(shape('rtspPort')).toMatchObject({ kind: 'number', slide: undefined });
  });

  it('has a control for each member of an object, and text for what is deeper or free', () => {
    expect(shape('stream2').kind).toBe('object');
    expect(shape('webrtcIceServers').kind).toBe('json');
    expect(shape('customRoles').kind).toBe('json');
  });
});

it('members are called as people write', () => {
  expect(titleOfMember('addTimestamp')).toBe('Add timestamp');
  expect(titleOfMember('minFreeMb')).toBe('Min free mb');
});
