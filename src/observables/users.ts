// Accounts, roles, tokens. What must stay secret has a key of its own that nobody can read.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineRule, Issue } from './define.js';
import { everybodyLoggedIn, nobody, user } from './groups.js';
import { builtInRoles, isBuiltInRole, permissions, type Permission } from './permissions.js';
import { listOf, named, namePattern, object, permission, permissionOrOrdinal, timestamp } from './schemas.js';

const needsManager = 'Value must leave at least one account with the permission User_rw';
const roleName = Type.String({ minLength: 1, maxLength: 32, pattern: namePattern });

/** Older clients count permissions; the stored form names them, each once, in the order of the list. */
function namedPermissions(given: readonly (Permission | number)[]): Permission[] {
  const chosen = new Set(given.map((each) => (typeof each === 'number' ? permissions[each] : each)));
  return permissions.filter((name) => chosen.has(name));
}

export const users = defineObservable('users', {
  schema: named(
    object({
      role: roleName,
      additionalPermissions: Type.Optional(listOf(permissionOrOrdinal, permissions.length)),
      onvif: Type.Optional(
        Type.Boolean({ description: 'May use ONVIF, which needs the password kept sealed.' }),
      ),
      created: Type.Optional(timestamp),
      lastLogin: Type.Optional(timestamp),
    }),
    200,
  ),
  default: {},
  title: 'Accounts',
  description: 'Who may log in, and in which role.',
  ...user,
  save: true,
  effect: 'live',
  // A log-in is an event of the audit itself.
  audited: (accounts) =>
    Object.fromEntries(
      Object.entries(accounts).map(([name, { lastLogin: _when, ...account }]) => [name, account]),
    ),
  // The server keeps the book on creation and log-in; `admin` is how older clients call the administrator's role.
  normalise: (accounts, previous, byServer) => {
    // The rule below lets a server without accounts be, for that is how it begins; but nobody may go back to that.
    if (!byServer && Object.keys(accounts).length === 0 && Object.keys(previous).length > 0)
      return new Issue('users', needsManager);
    return Object.fromEntries(
      Object.entries(accounts).map(([name, { lastLogin, ...account }]) => {
        const before = previous[name];
        const seen = byServer ? lastLogin : before?.lastLogin;
        return [
          name,
          {
            ...account,
            role: account.role === 'admin' ? 'administrator' : account.role,
            additionalPermissions: namedPermissions(account.additionalPermissions ?? []),
            ...(before?.created === undefined ? {} : { created: before.created }),
            ...(seen === undefined ? {} : { lastLogin: seen }),
          },
        ];
      }),
    );
  },
});

export const customRoles = defineObservable('customRoles', {
  schema: named(
    object({
      permissions: listOf(permissionOrOrdinal, permissions.length),
      created: Type.Optional(timestamp),
    }),
    50,
  ),
  default: {},
  title: 'Own roles',
  description: 'Roles beside administrator, operator, viewer and guest.',
  ...user,
  save: true,
  effect: 'live',
  normalise: (roles, previous) =>
    Object.fromEntries(
      Object.entries(roles).map(([name, role]) => {
        const created = previous[name]?.created;
        return [
          name,
          {
            ...role,
            permissions: namedPermissions(role.permissions),
            ...(created === undefined ? {} : { created }),
          },
        ];
      }),
    ),
});

export const userPasswords = defineObservable('userPasswords', {
  schema: named(Type.String({ minLength: 1, maxLength: 128 }), 20),
  default: {},
  title: 'Passwords',
  description: 'Write-only: new passwords by account. Never readable.',
  read: nobody,
  write: user.write,
  save: false,
  effect: 'live',
  secret: true,
});

const hexText = Type.String({ maxLength: 256, pattern: '^[0-9a-f]*$' });
const sealedText = Type.String({ maxLength: 1024 });

export const credentials = defineObservable('credentials', {
  schema: named(
    object({
      scrypt: object({
        salt: hexText,
        hash: hexText,
        cost: Type.Integer({ minimum: 1 }),
        blockSize: Type.Integer({ minimum: 1 }),
        parallelism: Type.Integer({ minimum: 1 }),
      }),
      digest: Type.Optional(
        Type.String({
          maxLength: 1024,
          description: 'What Digest log-in needs, sealed with the device key.',
        }),
      ),
      password: Type.Optional(sealedText),
    }),
    200,
  ),
  default: {},
  title: 'Credentials',
  description: 'What passwords are checked against. Never readable.',
  read: nobody,
  write: nobody,
  save: true,
  effect: 'none',
  secret: true,
});

export const apiTokens = defineObservable('apiTokens', {
  schema: named(
    object({
      name: Type.String({ minLength: 1, maxLength: 64 }),
      username: Type.String({ maxLength: 32 }),
      permissions: listOf(permission, permissions.length),
      created: timestamp,
      expires: Type.Union([timestamp, Type.Null()]),
      hash: Type.Optional(hexText),
      parent: Type.Optional(
        Type.String({
          maxLength: 32,
          description: 'The token by which it was made, and with which it ends.',
        }),
      ),
    }),
    500,
  ),
  default: {},
  title: 'API tokens',
  description: 'Tokens for scripts: whose they are, what they may do, when they end.',
  read: user.read,
  write: nobody,
  save: true,
  effect: 'none',
  redact: (tokens) =>
    Object.fromEntries(Object.entries(tokens).map(([id, { hash: _hash, ...shown }]) => [id, shown])),
});

export const currentUser = defineObservable('currentUser', {
  schema: Type.String({ maxLength: 32 }),
  default: '',
  title: 'Logged in as',
  description: "The asker's own account.",
  read: everybodyLoggedIn,
  write: nobody,
  save: false,
  effect: 'none',
  perSession: true,
});

export const anonymousPermissions = defineObservable('anonymousPermissions', {
  schema: listOf(permission, permissions.length),
  default: [],
  title: 'Permissions without log-in',
  description: 'What people may do who have not logged in. Empty: nothing.',
  ...user,
  save: true,
  effect: 'live',
});

export const sessionIdleMinutes = defineObservable('sessionIdleMinutes', {
  schema: Type.Integer({ minimum: 1, maximum: 43_200 }),
  default: 30,
  title: 'Idle time of a session',
  description: 'After this time without use a log-in ends.',
  unit: 'min',
  ...user,
  save: true,
  effect: 'live',
});

export const accountNamesDiffer = defineRule([users], (accounts) => {
  const taken = new Map<string, string>();
  for (const name of Object.keys(accounts)) {
    const other = taken.get(name.toLowerCase());
    if (other !== undefined)
      return new Issue(
        'users',
        `Value must not have ${name} beside ${other}, which people cannot tell apart`,
      );
    taken.set(name.toLowerCase(), name);
  }
  return undefined;
});

export const rolesExist = defineRule([users, customRoles], (accounts, roles) => {
  for (const [name, { role }] of Object.entries(accounts))
    if (!isBuiltInRole(role) && !Object.hasOwn(roles, role))
      return new Issue('users', `Value at ${name}.role: there is no role ${role}`);
  return undefined;
});

export const builtInRolesStay = defineRule([customRoles], (roles) => {
  const taken = Object.keys(roles).find((name) => isBuiltInRole(name) || name === 'admin');
  return taken === undefined
    ? undefined
    : new Issue('customRoles', `Value at ${taken}: this role is built in and cannot be replaced`);
});

/** Otherwise nobody could ever let anybody in again. */
export const somebodyManagesAccounts = defineRule([users, customRoles], (accounts, roles) => {
  const every = Object.values(accounts);
  const manages = every.some(({ role, additionalPermissions }) => {
    const ofRole = isBuiltInRole(role) ? builtInRoles[role] : (roles[role]?.permissions ?? []);
    return [...ofRole, ...(additionalPermissions ?? [])].some((each) => each === 'User_rw');
  });
  return every.length === 0 || manages ? undefined : new Issue('users', needsManager);
});
