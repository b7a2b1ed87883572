// Accounts, roles and what they may do.
import { createHash } from 'node:crypto';
import { Type, type Static } from '@sinclair/typebox';
import type { Identity } from '../../../access/identity.js';
import { maskOfAccount } from '../../../access/rights.js';
import { ObscuraError } from '../../../errors.js';
import {
  builtInRoles,
  permissions,
  permissionsIn,
  type Permission,
} from '../../../observables/permissions.js';
import type { Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { done } from '../outcomes.js';
import { answers, nothing, type App } from '../route.js';

const tags = ['accounts'];
const Permission = Type.Union(permissions.map((name) => Type.Literal(name)));
const PermissionForm = Type.Union([
  Permission,
  Type.Integer({ minimum: 0, maximum: permissions.length - 1, description: 'Its place in the list.' }),
]);
const Grants = Type.Array(PermissionForm, { maxItems: permissions.length });
const User = Type.Object({
  id: Type.Integer({ description: 'A number for clients that want one; the name serves as well.' }),
  username: Type.String(),
  role: Type.String(),
  additionalPermissions: Type.Array(Type.String()),
  permissions: Type.Array(Type.String(), { description: 'All in all.' }),
  onvif: Type.Boolean(),
  created: Type.Union([Type.Number(), Type.Null()]),
  lastLogin: Type.Union([Type.Number(), Type.Null()]),
});
const UserParam = Type.Object({ username: Type.String({ minLength: 1, maxLength: 64 }) });
const RoleParam = Type.Object({ name: Type.String({ minLength: 1, maxLength: 32 }) });
const NewUser = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 64 }),
    password: Type.String({ minLength: 1, maxLength: 256 }),
    role: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    additionalPermissions: Type.Optional(Grants),
    onvif: Type.Optional(Type.Boolean()),
    email: Type.Optional(
      Type.String({ maxLength: 256, description: 'Accepted from older clients; not kept.' }),
    ),
  },
  { additionalProperties: false },
);
const UserChange = Type.Object(
  {
    role: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    additionalPermissions: Type.Optional(Grants),
    onvif: Type.Optional(Type.Boolean()),
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    email: Type.Optional(
      Type.String({ maxLength: 256, description: 'Accepted from older clients; not kept.' }),
    ),
  },
  { additionalProperties: false },
);
const Role = Type.Object({
  name: Type.String(),
  permissions: Type.Array(Type.String()),
  builtIn: Type.Boolean(),
});

const usersAt = ['/api/users', '/api/auth/users', '/api/admin/users', '/api/v1/users'];
const mayRead = ['User_r', 'User_rw'] as const;
const mayWrite = ['User_rw'] as const;

export function accountRoutes(app: App, services: Services): void {
  const { store, accounts } = services;

  const shown = (username: string): Static<typeof User> => {
    const account = store.get('users')[username];
    if (account === undefined) throw new ObscuraError('unknown', `There is no account ${username}`);
    return {
      id: numberOf(username),
      username,
      role: account.role,
      additionalPermissions: (account.additionalPermissions ?? []).map(String),
      permissions: permissionsOf(username),
      onvif: account.onvif ?? false,
      created: account.created ?? null,
      lastLogin: account.lastLogin ?? null,
    };
  };
  const permissionsOf = (username: string): Permission[] =>
    permissionsIn(maskOfAccount(username, store.snapshot().values));

  /** By name or by number; who may not look at accounts finds only their own. */
  const find = (given: string, identity: Identity): string => {
    const names = Object.keys(store.get('users'));
    const name =
      names.find((each) => each === given) ?? names.find((each) => String(numberOf(each)) === given);
    if (name === undefined || (name !== identity.name && !identity.may(...mayRead)))
      throw new ObscuraError('unknown', `There is no account ${given}`);
    return name;
  };

  for (const url of usersAt) {
    app.get(
      url,
      {
        config: { access: mayRead },
        schema: {
          tags,
          summary: 'All accounts',
          response: answers(Type.Object({ users: Type.Array(User) })),
        },
      },
      () => ({ users: Object.keys(store.get('users')).map(shown) }),
    );
    app.post(
      url,
      {
        config: { access: mayWrite },
        schema: { tags, summary: 'Make an account', body: NewUser, response: answers(User, 201) },
      },
      async ({ identity, body: { email: _email, ...user } }, reply) => {
        await accounts.createUser(identity, user);
        return await reply.code(201).send(shown(user.username));
      },
    );
    app.get(
      `${url}/:username`,
      {
        config: { access: 'account' },
        schema: { tags, summary: 'One account', params: UserParam, response: answers(User) },
      },
      ({ identity, params }) => shown(find(params.username, identity)),
    );
    app.route({
      method: ['PUT', 'PATCH'],
      url: `${url}/:username`,
      config: { access: mayWrite },
      schema: {
        tags,
        summary: 'Change an account',
        params: UserParam,
        body: UserChange,
        response: answers(User),
      },
      handler: async ({ identity, params, body: { password, email: _email, ...rest } }) => {
        const username = find(params.username, identity);
        const { users } = store.snapshot().values;
        // One transaction: a role is not changed while the password beside it is refused.
        done(
          await store.submit(identity, {
            ...(Object.keys(rest).length === 0
              ? {}
              : { users: { ...users, [username]: { ...users[username], ...rest } } }),
            ...(password === undefined ? {} : { userPasswords: { [username]: password } }),
          }),
        );
        return shown(username);
      },
    });
    app.delete(
      `${url}/:username`,
      {
        config: { access: mayWrite },
        schema: { tags, summary: 'Delete an account', params: UserParam, response: nothing },
      },
      async ({ identity, params }, reply) => {
        await accounts.deleteUser(identity, find(params.username, identity));
        return await reply.code(204).send();
      },
    );
  }

  for (const url of ['/api/users/:username/permissions', '/api/auth/permissions/:username'])
    app.get(
      url,
      {
        config: { access: 'account' },
        schema: {
          tags,
          summary: 'What an account may do',
          params: UserParam,
          response: answers(
            Type.Object({
              username: Type.String(),
              role: Type.String(),
              permissions: Type.Array(Type.String()),
            }),
          ),
        },
      },
      ({ identity, params }) => {
        const { username, role, permissions: all } = shown(find(params.username, identity));
        return { username, role, permissions: all };
      },
    );

  app.post(
    '/api/users/:username/password',
    {
      config: { access: 'account' },
      schema: {
        tags,
        summary: 'Change a password',
        description: "One's own needs the old password; somebody else's needs User_rw.",
        params: UserParam,
        body: Type.Object(
          {
            password: Type.String({ minLength: 1, maxLength: 256 }),
            oldPassword: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
          },
          { additionalProperties: false },
        ),
        response: nothing,
      },
    },
    async ({ identity, params, body }, reply) => {
      const username = find(params.username, identity);
      await accounts.changePassword(identity, username, body.password, body.oldPassword);
      return await reply.code(204).send();
    },
  );

  app.post(
    '/api/auth/register',
    {
      config: { access: 'visitor' },
      schema: {
        tags,
        summary: 'Make an account, as older clients ask for it',
        description: 'Nobody can give an account to themselves: this takes User_rw as well.',
        body: NewUser,
        response: answers(User, 201),
      },
    },
    async ({ identity, body: { email: _email, ...user } }, reply) => {
      if (user.password.length < 8)
        throw new HttpError(400, 'INVALID_REQUEST', 'The password must have at least 8 characters');
      if (!identity.may(...mayWrite))
        throw new ObscuraError('forbidden', 'Only who manages accounts can make one');
      await accounts.createUser(identity, user);
      return await reply.code(201).send(shown(user.username));
    },
  );

  app.get(
    '/api/roles',
    {
      config: { access: 'account' },
      schema: { tags, summary: 'All roles', response: answers(Type.Object({ roles: Type.Array(Role) })) },
    },
    ({ identity }) => ({
      roles: [
        ...Object.entries(builtInRoles).map(([name, held]) => ({
          name,
          permissions: [...held],
          builtIn: true,
        })),
        ...(identity.may(...mayRead) ? Object.entries(store.get('customRoles')) : []).map(([name, role]) => ({
          name,
          permissions: role.permissions.map(String),
          builtIn: false,
        })),
      ],
    }),
  );
  app.put(
    '/api/roles/:name',
    {
      config: { access: mayWrite },
      schema: {
        tags,
        summary: 'Make or change a role of your own',
        params: RoleParam,
        body: Type.Object({ permissions: Grants }, { additionalProperties: false }),
        response: answers(Role),
      },
    },
    async ({ identity, params: { name }, body }) => {
      done(
        await store.update(identity, (get) => ({
          customRoles: {
            ...get('customRoles'),
            [name]: { permissions: body.permissions, created: Date.now() },
          },
        })),
      );
      return {
        name,
        permissions: (store.get('customRoles')[name]?.permissions ?? []).map(String),
        builtIn: false,
      };
    },
  );
  app.delete(
    '/api/roles/:name',
    {
      config: { access: mayWrite },
      schema: { tags, summary: 'Delete a role of your own', params: RoleParam, response: nothing },
    },
    async ({ identity, params: { name } }, reply) => {
      done(
        await store.update(identity, (get) => {
          const before = get('customRoles');
          if (!Object.hasOwn(before, name))
            throw new ObscuraError('unknown', `There is no role ${name} to delete`);
          return {
            customRoles: Object.fromEntries(Object.entries(before).filter(([each]) => each !== name)),
          };
        }),
      );
      return await reply.code(204).send();
    },
  );
}

/** Always the same for the same name, so that nothing has to be stored for it. */
function numberOf(username: string): number {
  return createHash('sha256').update(username).digest().readUIntBE(0, 4) & 0x7fffffff;
}
