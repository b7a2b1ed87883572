// Turns a refused value into one sentence that names the range or the allowed values.
import type { TSchema } from '@sinclair/typebox';
import { ValueErrorType, type TypeCheck, type ValueError } from '@sinclair/typebox/compiler';

export function explainValue(check: TypeCheck<TSchema>, value: unknown): string {
  const error = deepest(check.Errors(value));
  if (error === undefined) return 'Value is not accepted';
  const aboutNames = nameText(error);
  if (aboutNames !== undefined) return aboutNames;
  const where = error.path === '' ? 'Value' : `Value at ${error.path.slice(1).replaceAll('/', '.')}`;
  return `${where} ${expectation(error)}`;
}

/** Of a union's complaints the one that got furthest into the value says most. */
function deepest(errors: Iterable<ValueError>): ValueError | undefined {
  let best: ValueError | undefined;
  for (const error of errors) {
    if (best === undefined || depth(error) > depth(best)) best = error;
    for (const inner of error.errors) {
      const candidate = deepest(inner);
      if (candidate !== undefined && depth(candidate) > depth(best)) best = candidate;
    }
  }
  return best;
}

function depth(error: ValueError): number {
  return error.path.split('/').length;
}

function expectation({ schema, type, value }: ValueError): string {
  const { minimum, maximum, minLength, maxLength, maxItems } = schema as Readonly<
    Record<string, number | undefined>
  >;
  const allowed = allowedValues(schema);
  if (allowed !== undefined)
    return `must be one of ${allowed.map((each) => JSON.stringify(each)).join(', ')}`;
  switch (type) {
    case ValueErrorType.ObjectAdditionalProperties:
      return 'is not a known member';
    case ValueErrorType.ObjectRequiredProperty:
      return 'is missing';
    case ValueErrorType.ArrayMaxItems:
      return `must have at most ${String(maxItems)} entries`;
    case ValueErrorType.ObjectMaxProperties:
      return `must have at most ${String(schema['maxProperties'])} members`;
    case ValueErrorType.StringPattern:
      return `must ${patternText(schema)}`;
    case ValueErrorType.StringMinLength:
    case ValueErrorType.StringMaxLength:
      return `must be ${String(minLength ?? 0)} to ${String(maxLength)} characters long`;
    default:
      break;
  }
  const whole = schema['type'] === 'integer' ? 'a whole number' : undefined;
  if (whole !== undefined && typeof value !== 'number') return `must be ${whole}`;
  if (whole !== undefined && !Number.isInteger(value)) return `must be ${whole}`;
  if (schema['type'] === 'number' && typeof value !== 'number') return 'must be a number';
  if (minimum !== undefined && maximum !== undefined)
    return `must be between ${String(minimum)} and ${String(maximum)}`;
  if (minimum !== undefined) return `must be at least ${String(minimum)}`;
  if (maximum !== undefined) return `must be at most ${String(maximum)}`;
  return `must be ${typeName(schema)}`;
}

function allowedValues(schema: TSchema): readonly unknown[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum'] as readonly unknown[];
  const options: unknown = schema['anyOf'];
  if (Array.isArray(options) && options.every((option: TSchema) => 'const' in option))
    return options.map((option: TSchema) => option['const'] as unknown);
  return 'const' in schema ? [schema['const']] : undefined;
}

/** Where people choose the names, an unknown member is a name that cannot be; the schema may carry words for that. */
function nameText({ schema, type }: ValueError): string | undefined {
  const words: unknown = schema['nameText'];
  return type === ValueErrorType.ObjectAdditionalProperties && typeof words === 'string' ? words : undefined;
}

/** A pattern is for machines; the schema may carry words for it. */
function patternText(schema: TSchema): string {
  const words: unknown = schema['patternText'];
  return typeof words === 'string' ? words : `match ${String(schema['pattern'])}`;
}

function typeName(schema: TSchema): string {
  switch (schema['type']) {
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
    case 'array':
      return 'a list';
    case 'object':
      return 'an object';
    default:
      return 'of another type';
  }
}
