// Checks requests against the schemas of their routes, changing nothing in bodies: `true` is not 1, and an unknown
// member is an error. Only what a URL carries is text by nature and is converted.
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { Value } from '@sinclair/typebox/value';
import type { FastifySchemaCompiler } from 'fastify';

const mostErrors = 10;

export const compileSchema: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = TypeCompiler.Compile(schema);
  const takesObject = (schema as { readonly type?: unknown }).type === 'object';
  return (given: unknown) => {
    // A request without a body asks for nothing in particular.
    const value = given === null && takesObject ? {} : given;
    const converted = httpPart === 'body' ? value : Value.Convert(schema, value);
    if (check.Check(converted)) return { value: converted };
    const problems: { message: string; instancePath: string }[] = [];
    for (const { message, path } of check.Errors(converted)) {
      problems.push({ message, instancePath: path });
      if (problems.length >= mostErrors) break;
    }
    return {
      error: Object.assign(new Error(sentence(problems[0])), { validation: problems, statusCode: 400 }),
    };
  };
};

function sentence(problem: { readonly message: string; readonly instancePath: string } | undefined): string {
  if (problem === undefined) return 'not accepted';
  const { message, instancePath } = problem;
  return instancePath === '' ? message : `${instancePath.slice(1).replaceAll('/', '.')}: ${message}`;
}
