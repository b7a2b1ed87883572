// Value types that several settings share, so that a range or a pattern exists once.
import { Kind, Type, TypeRegistry, type TUnsafe } from '@sinclair/typebox';
import { permissions } from './permissions.js';

// The compiled checks know nothing of `enum` by themselves.
const oneOf = 'OneOf';
TypeRegistry.Set<{ readonly enum: readonly unknown[] }>(oneOf, (schema, value) =>
  schema.enum.includes(value),
);

/** One of a few texts; as `enum` in JSON Schema, which documents and code generators read best. */
export function choice<const T extends readonly string[]>(
  values: T,
  description?: string,
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({
    [Kind]: oneOf,
    type: 'string',
    enum: values,
    ...(description === undefined ? {} : { description }),
  });
}

/** One of a few numbers. */
export function numberChoice<const T extends readonly number[]>(values: T): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ [Kind]: oneOf, type: 'integer', enum: values });
}

export const resolution = Type.String({
  maxLength: 9,
  pattern: '^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$',
  patternText: 'be WIDTHxHEIGHT, for example 1920x1080',
});

/** What a resolution says; zeros where it is none. */
export function sizeOf(text: string): { readonly width: number; readonly height: number } {
  const [width = 0, height = 0] = text.split('x').map(Number);
  return { width, height };
}

export const framerate = Type.Integer({ minimum: 1, maximum: 120 });
export const bitrate = Type.Integer({ minimum: 100_000, maximum: 50_000_000 });
export const port = Type.Integer({ minimum: 1, maximum: 65_535 });
export const percent = Type.Integer({ minimum: 0, maximum: 100 });
export const ratio = Type.Number({ minimum: 0, maximum: 1 });
export const milliseconds = Type.Integer({ minimum: 1, maximum: 604_800_000 });
export const path = Type.String({ maxLength: 512 });
export const shortText = Type.String({ maxLength: 128 });
export const url = Type.String({ minLength: 1, maxLength: 512 });
export const timestamp = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' });
export const corner = choice(['top-left', 'top-right', 'bottom-left', 'bottom-right', 'center']);
export const camera = choice(['primary', 'secondary']);
export const profile = choice(['baseline', 'main', 'high']);

/** How accounts, roles, presets and the like may be called; also what keeps their records free of surprises. */
export const namePattern = '^[A-Za-z0-9][A-Za-z0-9._@-]{0,31}$';
/** The same for people. */
const nameText = 'A name is up to 32 letters, digits and . _ @ -, and begins with a letter or digit';

export const permission = choice(permissions);
/** As ordinals too, the way older clients store them. */
export const permissionOrOrdinal = Type.Union([
  permission,
  Type.Integer({ minimum: 0, maximum: permissions.length - 1 }),
]);

export function listOf<T extends Parameters<typeof Type.Array>[0]>(item: T, maxItems: number) {
  return Type.Array(item, { maxItems });
}

export function object<P extends Parameters<typeof Type.Object>[0]>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

/** Named things: the names follow one pattern, and there is an end to how many. */
export function named<T extends Parameters<typeof Type.Record>[1]>(value: T, maxProperties: number) {
  return Type.Record(Type.String({ pattern: namePattern }), value, {
    maxProperties,
    additionalProperties: false,
    nameText,
  });
}
