'use strict';
// Makes a fresh machine ready before `npm start` and `npm test`: Debian packages, npm packages, native addon, build.
// Only what Node brings along is used, and only old syntax, so that an old Node gets a sentence and not a SyntaxError.
var childProcess = require('child_process');
var fs = require('fs');
var path = require('path');
var debian = require('./setup/debian.cjs');
var state = require('./setup/fingerprints.cjs');
var steps = require('./setup/steps.cjs');

var oldestNode = [20, 19];
var lockFile = path.join('.cache', 'setup.lock');
/** Says that this process was started below flock(1) and has the lock. */
var lockedFlag = '--locked';
/** Answer of flock(1) when somebody else has the lock, apart from every answer of our own. */
var taken = 75;

var forTests = process.argv.indexOf('--dev') >= 0;
var startedAt = Date.now();

process.chdir(path.resolve(__dirname, '..'));
checkNode();
if (!isReady()) {
  if (process.argv.indexOf(lockedFlag) >= 0) prepare();
  else prepareAlone();
}

function checkNode() {
  var version = process.versions.node.split('.').map(Number);
  if (version[0] > oldestNode[0] || (version[0] === oldestNode[0] && version[1] >= oldestNode[1])) return;
  var oldest = oldestNode.join('.');
  steps.fail(69, 'Obscura needs Node ' + oldest + ' or newer; this is ' + process.version + '.', [
    'https://nodejs.org/en/download',
  ]);
}

function isReady() {
  return state.isReady(state.readStamp(), state.fingerprints(), forTests);
}

/**
 * Starts this script again with the lock held. The kernel keeps the lock, so one that died with its owner is free at
 * once; whoever had to wait looks again and finds everything done. flock(1) is part of every Debian; a system without
 * it goes on unguarded.
 */
function prepareAlone() {
  fs.mkdirSync(path.dirname(lockFile), { recursive: true });
  var again = [lockFile, process.execPath, __filename, lockedFlag].concat(forTests ? ['--dev'] : []);
  var result = run('flock', ['--nonblock', '--conflict-exit-code', String(taken)].concat(again));
  if (result.status === taken) {
    process.stdout.write('Obscura is being prepared by another process; waiting for it ...\n');
    result = run('flock', again);
  }
  if (result.error && result.error.code === 'ENOENT') prepare();
  else process.exitCode = result.status === null ? 1 : result.status;
}

function run(command, args) {
  return childProcess.spawnSync(command, args, { stdio: 'inherit' });
}

function prepare() {
  var wanted = state.fingerprints();
  var done = state.readStamp();
  var environment = npmEnvironment();
  var needed = { environment: environment, needed: true };

  // A machine that has video keeps it: it is looked for again only when packages are wanted anew.
  var known = done.media === wanted.machine && done.dependencies === wanted.dependencies;
  var media = known || debian.prepareVideo();
  if (done.dependencies !== wanted.dependencies || (media && !done.media)) {
    // Without GStreamer the packages that build against it could only fail; the rest of the server does without.
    var install = ['npm', 'ci'].concat(media ? [] : ['--ignore-scripts']);
    steps.step('installing npm packages', install, needed);
    done = { dependencies: wanted.dependencies };
  }
  if (!known) {
    done.media = media && wanted.machine;
    state.writeStamp(done);
  }
  if (done.native !== wanted.native && (media || debian.hasCompiler())) {
    steps.step('building the native addon', ['npm', 'run', '--silent', 'build:native'], needed);
    // In a process of its own: an addon that does not fit this Node may crash instead of throwing.
    var load = 'require(' + JSON.stringify(path.resolve(state.addonFile)) + ')';
    steps.step('trying the native addon', [process.execPath, '-e', load], needed);
    done.native = wanted.native;
    state.writeStamp(done);
  }
  if (done.build !== wanted.build) {
    build(needed);
    done.build = wanted.build;
    state.writeStamp(done);
  }
  if (forTests && done.tests !== wanted.machine) {
    done.tests = debian.prepareTests() && wanted.machine;
    state.writeStamp(done);
  }
  if (steps.anyStep()) process.stdout.write('  done in ' + steps.seconds(startedAt) + ' s\n\n');
}

/** Into a folder beside, which then takes the place of the old one: nobody ever starts half a build. */
function build(options) {
  var fresh = 'dist.new';
  var old = 'dist.old';
  remove(fresh);
  remove(old);
  steps.step(
    'compiling TypeScript',
    ['npm', 'run', '--silent', 'build:ts', '--', '--outDir', fresh, '--noEmitOnError'],
    options
  );
  if (fs.existsSync(state.pageSource)) {
    var folder = path.resolve(fresh, 'web');
    steps.step(
      'building the web page',
      ['npm', 'run', '--silent', 'build:web', '--', '--outDir', folder],
      options
    );
  }
  if (fs.existsSync('dist')) fs.renameSync('dist', old);
  fs.renameSync(fresh, 'dist');
  remove(old);
}

function remove(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
}

function npmEnvironment() {
  var environment = Object.assign({}, process.env, {
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    npm_config_loglevel: 'error',
    // The compiler is a development dependency, which npm leaves out where NODE_ENV says production.
    npm_config_include: 'dev',
    JOBS: 'max',
  });
  // node-gyp would fetch Node's headers from the internet; where they came along with Node, these are the right ones.
  var prefix = path.resolve(fs.realpathSync(process.execPath), '..', '..');
  if (fs.existsSync(path.join(prefix, 'include', 'node', 'node.h')))
    environment.npm_package_config_node_gyp_nodedir = prefix;
  return environment;
}
