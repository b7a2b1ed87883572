// Categories with which recordings are tagged; they outlive a factory reset.
import { Type } from '@sinclair/typebox';
import { defineAction, defineObservable } from './define.js';
import { media, nobody } from './groups.js';
import { object } from './schemas.js';

const id = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const name = Type.String({ minLength: 1, maxLength: 64 });
const color = Type.String({
  pattern: '^#[0-9A-Fa-f]{6}$',
  patternText: 'be a colour as #RRGGBB',
  maxLength: 7,
});

export const categories = defineObservable('categories', {
  schema: Type.Record(Type.String({ pattern: '^[1-9][0-9]{0,6}$' }), object({ id, name, color }), {
    maxProperties: 500,
    additionalProperties: false,
  }),
  default: {},
  title: 'Tag categories',
  description: 'The categories that recordings can be tagged with.',
  read: media.read,
  write: nobody,
  save: true,
  survivesReset: true,
  effect: 'none',
});

export const categoryCounter = defineObservable('categoryCounter', {
  schema: id,
  default: 1,
  title: 'Next category',
  description: 'The number that the next tag category gets.',
  read: nobody,
  write: nobody,
  save: true,
  survivesReset: true,
  effect: 'none',
});

export const changeTagCategory = defineAction('changeTagCategory', {
  schema: Type.Union([
    object({ action: Type.Literal('create'), name, color }),
    object({ action: Type.Literal('update'), id, name: Type.Optional(name), color: Type.Optional(color) }),
    object({ action: Type.Literal('delete'), id }),
  ]),
  default: { action: 'create', name: 'example', color: '#000000' },
  title: 'Change a tag category',
  description: 'Creates, changes or deletes a tag category; answers with its number.',
  read: media.read,
  write: media.write,
});
