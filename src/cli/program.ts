// The commands of `obscura`, their words and options. What a command does is loaded only when it is asked for.
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { target } from './contexts.js';
import { endingOf, exitCodes } from './exit.js';
import { json, type Io, type Output } from './io.js';

interface Globals {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly url?: string;
}

export async function run(words: readonly string[], io: Io): Promise<number> {
  let wantsJson = words.includes('--json');
  try {
    await program(io).parseAsync([...words], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    // Help and version were asked for; commander has written them.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (io.signal.aborted) return exitCodes.interrupted;
    const { exitCode, error: problem } = endingOf(error);
    wantsJson = wantsJson && problem.message !== '';
    if (wantsJson) json({ ...io, out: io.err }, { error: problem });
    else if (problem.message !== '') io.err.write(`${problem.message}\n`);
    return exitCode;
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('not a number');
  return value;
}

function list(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

function collect(text: string, before: string[]): string[] {
  return [...before, text];
}

function program(io: Io): Command {
  const root = new Command('obscura')
    .description('Reads and changes the settings of an Obscura server')
    .option('--json', 'give JSON')
    .option('--quiet', 'say nothing beside the data')
    .option('--url <url>', 'the server, such as http://camera:8080')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: (text) => io.err.write(text) });

  const output = (): Output => {
    const { json: asJson, quiet } = root.opts<Globals>();
    return { json: asJson === true, quiet: quiet === true };
  };
  const url = (): string | undefined => root.opts<Globals>().url;

  type Settings = typeof import('./commands/settings.js');
  const withSettings = async (
    act: (commands: Settings, context: import('./commands/settings.js').SettingsContext) => Promise<void>,
  ): Promise<void> => {
    const [commands, { openClient }] = await Promise.all([
      import('./commands/settings.js'),
      import('./session.js'),
    ]);
    const client = await openClient(io, await target(io, { url: url() }));
    try {
      await act(commands, { io, output: output(), client });
    } finally {
      client.close();
    }
  };
  type Management = typeof import('./commands/management.js');
  const withHttp = async (
    act: (
      commands: Management,
      context: import('./commands/management.js').ManagementContext,
    ) => Promise<void>,
  ): Promise<void> => {
    const [commands, { openHttp }] = await Promise.all([
      import('./commands/management.js'),
      import('./session.js'),
    ]);
    await act(commands, { io, output: output(), http: await openHttp(await target(io, { url: url() })) });
  };

  root
    .command('get [keys...]')
    .description('show values; * stands for any letters')
    .action((keys: string[]) => withSettings((all, context) => all.get(context, keys)));
  root
    .command('set <assignments...>')
    .description('change settings together: key=value, key:=json, key=@file')
    .option('--wait <what>', 'applied or accepted', 'applied')
    .option('--if-revision <number>', 'only if nobody has changed them since', number)
    .option('--dry-run', 'say what would follow, and change nothing')
    .option('--timeout <seconds>', 'give up waiting', number)
    .action((words: string[], options: import('./commands/settings.js').SetCommandOptions) =>
      withSettings((all, context) => all.set(context, words, options)),
    );
  root
    .command('watch [keys...]')
    .description('show values and every change')
    .option('--count <number>', 'end after so many messages', number)
    .option('--timeout <seconds>', 'end after so long', number)
    .option('--changes-only', 'leave out the values at the beginning')
    .action((keys: string[], options: import('./commands/settings.js').WatchCommandOptions) =>
      withSettings((all, context) => all.watch(context, keys, options)),
    );
  root
    .command('describe [keys...]')
    .description('tell type, range, default, permissions and effect')
    .action((keys: string[]) => withSettings((all, context) => all.describe(context, keys)));
  root
    .command('wait')
    .description('wait until conditions hold, such as streamStats.clientCount>=1')
    .option('--for <condition>', 'may be given several times', collect, [])
    .option('--timeout <seconds>', 'give up', number)
    .action(({ for: texts, timeout }: { for: string[]; timeout?: number }) =>
      withSettings((all, context) => all.waitFor(context, texts, timeout)),
    );
  root
    .command('undo')
    .description('take back your own last change')
    .action(() => withSettings((all, context) => all.undo(context)));
  root
    .command('export')
    .description('write all settings that can be changed, as YAML')
    .action(() => withSettings((all, context) => all.exportAll(context)));
  root
    .command('diff')
    .description('compare a file with the server; ends with 1 where they differ')
    .requiredOption('-f, --file <file>', 'YAML or JSON, - for the standard input')
    .action(({ file }: { file: string }) => withSettings((all, context) => all.diff(context, file)));
  root
    .command('apply')
    .description('put the values of a file in force, in one transaction')
    .requiredOption('-f, --file <file>', 'YAML or JSON, - for the standard input')
    .option('--dry-run', 'say what would follow, and change nothing')
    .option('--wait <what>', 'applied or accepted', 'applied')
    .action(({ file, ...options }: { file: string; dryRun?: boolean; wait: 'applied' | 'accepted' }) =>
      withSettings((all, context) => all.apply(context, file, options)),
    );

  const preset = root.command('preset').description('sets of values under a name');
  preset.command('list').action(() => withHttp((all, context) => all.presetList(context)));
  preset
    .command('save <name> <keys...>')
    .action((name: string, keys: string[]) =>
      withHttp((all, context) => all.presetSave(context, name, keys)),
    );
  preset
    .command('diff <name>')
    .action((name: string) => withHttp((all, context) => all.presetDiff(context, name)));
  preset
    .command('apply <name>')
    .action((name: string) => withHttp((all, context) => all.presetApply(context, name)));
  preset
    .command('delete <name>')
    .action((name: string) =>
      withHttp((all, context) => all.remove(context, '/api/presets', name, 'preset')),
    );

  const user = root
    .command('user')
    .description('accounts; a password is asked for, or comes by the standard input');
  user.command('list').action(() => withHttp((all, context) => all.userList(context)));
  user
    .command('add <name>')
    .option('--role <role>', 'its role', 'viewer')
    .action((name: string, { role }: { role: string }) =>
      withHttp((all, context) => all.userAdd(context, name, role)),
    );
  user
    .command('set <name>')
    .option('--role <role>')
    .option('--permissions <list>', 'beyond the role', list)
    .action((name: string, change: { role?: string; permissions?: string[] }) =>
      withHttp((all, context) => all.userRole(context, name, change)),
    );
  user
    .command('passwd <name>')
    .action((name: string) => withHttp((all, context) => all.userPassword(context, name)));
  user
    .command('delete <name>')
    .action((name: string) => withHttp((all, context) => all.remove(context, '/api/users', name, 'account')));

  const role = root.command('role').description('roles of your own');
  role.command('list').action(() => withHttp((all, context) => all.roleList(context)));
  role
    .command('set <name> <permissions>')
    .action((name: string, permissions: string) =>
      withHttp((all, context) => all.roleSet(context, name, list(permissions))),
    );
  role
    .command('delete <name>')
    .action((name: string) => withHttp((all, context) => all.remove(context, '/api/roles', name, 'role')));

  const token = root.command('token').description('API tokens for scripts');
  token.command('list').action(() => withHttp((all, context) => all.tokenList(context)));
  token
    .command('create <name>')
    .option('--permissions <list>', 'a part of your own', list)
    .option('--days <number>', 'ends after so many days', number)
    .action((name: string, options: { permissions?: string[]; days?: number }) =>
      withHttp((all, context) => all.tokenCreate(context, name, options)),
    );
  token
    .command('revoke <id>')
    .action((id: string) => withHttp((all, context) => all.remove(context, '/api/tokens', id, 'token')));

  root
    .command('log')
    .description('what happened, oldest first')
    .option('--audit', 'the audit; the only log there is so far')
    .option('-f, --follow', 'go on as it happens')
    .option('--user <name>')
    .option('--key <key>')
    .option('--limit <number>', 'so many of the newest', number)
    .action((options: import('./commands/management.js').LogOptions) =>
      withHttp((all, context) => all.auditLog(context, options)),
    );
  root
    .command('login')
    .description('keep a token for this machine; the password is asked for, or comes by the standard input')
    .option('--user <name>')
    .option('--code <code>', 'make this account as the first one, with the set-up code that the server shows')
    .option('--context <name>', 'under which name', 'default')
    .option('--days <number>', 'for how long', number, 90)
    .option('--permissions <list>', 'a part of your own', list)
    .action(async (options: Omit<import('./commands/login.js').LoginOptions, 'url'>) => {
      const { login } = await import('./commands/login.js');
      await login(io, output(), { ...options, url: url() });
    });
  root
    .command('logout')
    .option('--context <name>', 'which', 'default')
    .action(async ({ context }: { context: string }) => {
      const { logout } = await import('./commands/login.js');
      await logout(io, output(), context);
    });
  root
    .command('doctor')
    .description('look for what is missing on this machine, and whether the server answers')
    .action(async () => {
      const { doctor } = await import('./commands/doctor.js');
      await doctor(io, output(), { url: url() });
    });
  root
    .command('completion <shell>')
    .description('completion script for bash, zsh or fish')
    .action(async (shell: string) => {
      const { completion } = await import('./commands/completion.js');
      io.out.write(
        completion(
          shell,
          root.commands.map((command) => command.name()),
        ),
      );
    });
  return root;
}
