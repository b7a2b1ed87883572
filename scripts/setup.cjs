'use strict';
// Makes a fresh machine ready, before `npm start` and `npm test`: Debian packages, npm packages, native addon, build.
// Only what Node brings along is used, and only old syntax, so that an old Node gets a sentence and not a SyntaxError.
var fs = require('fs');
var path = require('path');
var childProcess = require('child_process');
var crypto = require('crypto');

var root = path.resolve(__dirname, '..');
process.chdir(root);
var startedAt = Date.now();
var forTests = process.argv.indexOf('--dev') >= 0;

var oldestNode = [20, 19];
var version = process.versions.node.split('.').map(Number);
if (version[0] < oldestNode[0] || (version[0] === oldestNode[0] && version[1] < oldestNode[1])) {
  fail(69, 'Obscura needs Node ' + oldestNode.join('.') + ' or newer; this is ' + process.version + '.', []);
}

var stampFile = path.join('node_modules', '.obscura-setup.json');
var logFile = path.join('.cache', 'setup.log');
var lockFile = path.join('.cache', 'setup.lock');

var packages = [
  'build-essential',
  'pkg-config',
  'python3-minimal',
  'libgstreamer1.0-dev',
  'libgstreamer-plugins-base1.0-dev',
  'libgstrtspserver-1.0-dev',
  'gstreamer1.0-tools',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-bad',
  'gstreamer1.0-plugins-ugly',
  'gstreamer1.0-nice',
];
var libraries = ['gstreamer-1.0', 'gstreamer-app-1.0', 'gstreamer-rtsp-server-1.0'];
/** Plugins by an element each. libnice counts its versions from 0.1, which `--exists` takes for too old. */
var elements = [
  ['--exists', 'webrtcbin'],
  ['--exists', 'x264enc'],
  ['--exists', '--atleast-version=0.1', 'nicesrc'],
];
/** What the tests call and the server does not need: [command, package]. */
var testTools = [
  ['curl', 'curl'],
  ['openssl', 'openssl'],
  ['python3', 'python3-minimal'],
];

var want = fingerprints();
if (isReady(readStamp(), want)) process.exit(0);

fs.mkdirSync('.cache', { recursive: true });
var waited = takeLock();
// Whoever held the lock may have done everything meanwhile.
if (waited && isReady(readStamp(), (want = fingerprints()))) {
  releaseLock();
  process.exit(0);
}
var log = fs.openSync(logFile, 'w');
process.stdout.write('Preparing Obscura (details in ' + logFile + ')\n');
prepare();
releaseLock();
process.stdout.write('  done in ' + seconds(startedAt) + ' s\n\n');

function prepare() {
  var have = readStamp();
  var media = installSystemPackages();
  var environment = npmEnvironment();
  var dependenciesChanged = have.dependencies !== want.dependencies || (media && have.media !== true);
  if (dependenciesChanged) {
    forget();
    // Without a compiler the native packages could only fail; the rest of the server does without them.
    step(
      'installing npm packages',
      'npm',
      ['ci'].concat(media ? [] : ['--ignore-scripts']),
      environment,
      true,
    );
    have = {};
  }
  var native = have.native === want.native;
  if (media && !native) {
    step('building the native addon', 'npm', ['run', '--silent', 'build:native'], environment, true);
    step(
      'trying the native addon',
      process.execPath,
      ['-e', "require('./native/build/Release/obscura_system.node')"],
      environment,
      true,
    );
  }
  if (have.build !== want.build || !fs.existsSync('dist/main.js')) {
    step('compiling TypeScript', 'npm', ['run', '--silent', 'build:ts'], environment, true);
  }
  if (forTests) installTestTools();
  want.media = media;
  want.tests = forTests || have.tests === true;
  fs.writeFileSync(stampFile + '.tmp', JSON.stringify(want));
  fs.renameSync(stampFile + '.tmp', stampFile);
}

/** Whether everything for video is there, after an attempt to install what is missing. */
function installSystemPackages() {
  if (!isMediaMissing()) return true;
  apt(packages, 'GStreamer and a compiler');
  if (!isMediaMissing()) return true;
  process.stdout.write('\n  ! GStreamer or the compiler is missing, so there will be no video.\n');
  if (hasApt()) {
    process.stdout.write('    To get video, run this once and start again:\n');
    process.stdout.write(
      '      sudo apt-get install -y --no-install-recommends ' + packages.join(' ') + '\n\n',
    );
  } else {
    process.stdout.write(
      '    This is not Debian: install GStreamer 1.22 with gst-rtsp-server, and a C++ compiler.\n\n',
    );
  }
  return false;
}

function installTestTools() {
  var missing = testTools.filter(function (tool) {
    return !works(tool[0], ['--version']) && !works(tool[0], ['version']);
  });
  if (missing.length === 0) return;
  apt(
    missing.map(function (tool) {
      return tool[1];
    }),
    'what the tests need',
  );
}

function apt(names, what) {
  if (process.env.OBSCURA_NO_APT || !hasApt()) return;
  var prefix = becomeRoot();
  if (prefix === undefined) return;
  var environment = Object.assign({}, process.env, { DEBIAN_FRONTEND: 'noninteractive' });
  var run = function (name, args) {
    var command = prefix.concat(['apt-get'], args);
    return step(name, command[0], command.slice(1), environment, false);
  };
  run('refreshing the list of Debian packages', ['update', '-qq']);
  run('installing ' + what, ['install', '-y', '--no-install-recommends'].concat(names));
}

/** Words to put before a command; undefined where nobody can be asked for more rights. */
function becomeRoot() {
  if (process.getuid && process.getuid() === 0) return [];
  if (works('sudo', ['-n', 'true'])) return ['sudo', '-n'];
  if (process.stdin.isTTY && !process.env.CI && works('sudo', ['--version'])) return ['sudo'];
  return undefined;
}

function hasApt() {
  return works('apt-get', ['--version']);
}

function isMediaMissing() {
  if (!works('pkg-config', ['--exists'].concat(libraries)) || !works('g++', ['--version'])) return true;
  return !elements.every(function (args) {
    return works('gst-inspect-1.0', args);
  });
}

function npmEnvironment() {
  var environment = Object.assign({}, process.env, {
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    npm_config_loglevel: 'error',
  });
  // node-gyp would fetch Node's headers from the internet; where Node came with them, these are the right ones.
  var prefix = path.resolve(process.execPath, '..', '..');
  if (fs.existsSync(path.join(prefix, 'include', 'node', 'node.h'))) {
    environment.npm_package_config_node_gyp_nodedir = prefix;
  }
  // `npm start` runs in production on some machines, and the build needs the compiler all the same.
  environment.npm_config_include = 'dev';
  return environment;
}

function fingerprints() {
  var abi = [process.versions.modules, process.arch, process.platform];
  return {
    dependencies: hash([read('package-lock.json')].concat(abi)),
    native: hash(files('native').concat(abi)),
    build: hash(files('src').concat([read('tsconfig.json'), read('tsconfig.build.json')])),
  };
}

function isReady(have, wanted) {
  return (
    have.dependencies === wanted.dependencies &&
    have.native === wanted.native &&
    have.build === wanted.build &&
    have.media === true &&
    (have.tests === true || !forTests) &&
    fs.existsSync('dist/main.js')
  );
}

function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(stampFile, 'utf8'));
  } catch (error) {
    return {};
  }
}

/** From here until the new stamp is written, an interruption means: begin again. */
function forget() {
  fs.rmSync(stampFile, { force: true });
}

/** Names, sizes and times of all files below a folder: enough to see a change, quick enough for every start. */
function files(folder) {
  if (!fs.existsSync(folder)) return [];
  var found = [];
  fs.readdirSync(folder, { withFileTypes: true }).forEach(function (entry) {
    if (entry.name === 'build' || entry.name === 'node_modules' || entry.name[0] === '.') return;
    var name = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      found = found.concat(files(name));
    } else {
      var stat = fs.statSync(name);
      found.push(name + ' ' + stat.size + ' ' + Math.floor(stat.mtimeMs));
    }
  });
  return found.sort();
}

function hash(parts) {
  return crypto.createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

function read(name) {
  try {
    return fs.readFileSync(name, 'utf8');
  } catch (error) {
    return '';
  }
}

function works(command, args) {
  return childProcess.spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function step(name, command, args, environment, needed) {
  process.stdout.write('  - ' + name + ' ...');
  var began = Date.now();
  fs.writeSync(log, '\n$ ' + [command].concat(args).join(' ') + '\n');
  var result = childProcess.spawnSync(command, args, { env: environment, stdio: ['inherit', log, log] });
  var good = result.status === 0;
  if (result.error) fs.writeSync(log, String(result.error) + '\n');
  process.stdout.write((good ? ' ok' : ' FAILED') + ' (' + seconds(began) + ' s)\n');
  if (!good && needed) {
    releaseLock();
    fail(
      1,
      name + ' failed. The last lines of ' + logFile + ':',
      read(logFile).trim().split('\n').slice(-15),
    );
  }
  return good;
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1);
}

/** Waits for another run to finish; a lock whose owner has died is taken over. True where it had to wait. */
function takeLock() {
  var waiting = false;
  for (;;) {
    try {
      fs.writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      return waiting;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    var owner = Number(read(lockFile));
    if (owner > 0 && !isAlive(owner)) {
      fs.rmSync(lockFile, { force: true });
      continue;
    }
    if (!waiting) process.stdout.write('Another process is preparing Obscura; waiting for it ...\n');
    waiting = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function releaseLock() {
  fs.rmSync(lockFile, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function fail(code, message, lines) {
  process.stderr.write('\n' + message + '\n');
  lines.forEach(function (line) {
    process.stderr.write('    ' + line + '\n');
  });
  process.exit(code);
}
