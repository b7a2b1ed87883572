'use strict';
// Finds out which parts of the operating system are missing, and has apt install them where that is allowed.
var steps = require('./steps.cjs');

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
  'gstreamer1.0-libav',
  'gstreamer1.0-nice',
  'gstreamer1.0-rtsp',
  'glib-networking',
];
var libraries = [
  'gstreamer-1.0',
  'gstreamer-app-1.0',
  'gstreamer-video-1.0',
  'gstreamer-sdp-1.0',
  'gstreamer-rtsp-server-1.0',
];
/** One element for each plugin package that matters. libnice counts from 0.1, which `--exists` alone calls too old. */
var elements = [
  ['--exists', 'webrtcbin'],
  ['--exists', 'x264enc'],
  ['--exists', '--atleast-version=0.1', 'nicesrc'],
  ['--exists', 'rtspclientsink'],
  ['--exists', 'avdec_h264'],
];
/** What the tests call and the server does not. */
var testTools = [
  { ask: ['curl', '--version'], package: 'curl' },
  { ask: ['openssl', 'version'], package: 'openssl' },
  { ask: ['python3', '--version'], package: 'python3-minimal' },
  { ask: ['ffprobe', '-version'], package: 'ffmpeg' },
  { ask: ['ip', '-V'], package: 'iproute2' },
  { ask: ['chromium', '--version'], package: 'chromium' },
  { ask: ['dpkg-query', '--show', 'python3-opencv'], package: 'python3-opencv' },
];

function hasCompiler() {
  return steps.works('g++', ['--version']) && steps.works('make', ['--version']);
}

function hasEverythingForVideo() {
  if (!hasCompiler() || !steps.works('pkg-config', ['--exists'].concat(libraries))) return false;
  return elements.every(function (args) {
    return steps.works('gst-inspect-1.0', args);
  });
}

/** Whether video will work, after an attempt to install what it needs. Without it the server starts all the same. */
function prepareVideo() {
  if (hasEverythingForVideo()) return true;
  install(packages, 'GStreamer and a compiler');
  if (hasEverythingForVideo()) return true;
  process.stdout.write('\n  ! GStreamer or the compiler is missing: Obscura works, but without video.\n');
  process.stdout.write(
    hasApt()
      ? '    To get video, run this once and start again:\n      ' + line(packages) + '\n\n'
      : '    This is not Debian or Ubuntu: install GStreamer 1.22 with its RTSP server and a C++ compiler.\n\n'
  );
  return false;
}

/** Whether the tests find all they call. Those that do not fail by themselves, so this only tells. */
function prepareTests() {
  var missing = missingTestPackages();
  if (missing.length > 0) install(missing, 'what the tests call');
  missing = missingTestPackages();
  if (missing.length === 0) return true;
  process.stdout.write('\n  ! Some tests will fail without:\n      ' + line(missing) + '\n\n');
  return false;
}

function missingTestPackages() {
  return testTools
    .filter(function (tool) {
      return !steps.works(tool.ask[0], tool.ask.slice(1));
    })
    .map(function (tool) {
      return tool.package;
    });
}

function line(names) {
  return 'sudo ' + installCommand(names).join(' ');
}

function installCommand(names) {
  return ['apt-get', 'install', '-y', '--no-install-recommends'].concat(names);
}

function install(names, what) {
  if (process.env.OBSCURA_NO_APT || !hasApt()) return;
  var prefix = becomeRoot();
  if (prefix === undefined) return;
  // sudo clears the environment, so what apt has to know travels on the command line.
  prefix = prefix.concat(['env', 'DEBIAN_FRONTEND=noninteractive']);
  var options = { environment: process.env, needed: false };
  steps.step('refreshing the list of Debian packages', prefix.concat(['apt-get', 'update', '-qq']), options);
  // Another apt may be at work, as it is on the first minutes of many machines: wait for it.
  var patience = ['-o', 'DPkg::Lock::Timeout=120'];
  steps.step('installing ' + what, prefix.concat(installCommand(names), patience), options);
}

/** Words to put before a command; undefined where nobody can be asked for more rights. */
function becomeRoot() {
  if (process.getuid && process.getuid() === 0) return [];
  if (steps.works('sudo', ['-n', 'true'])) return ['sudo', '-n'];
  if (process.stdin.isTTY && !process.env.CI && steps.works('sudo', ['--version'])) return ['sudo'];
  return undefined;
}

function hasApt() {
  return steps.works('apt-get', ['--version']);
}

module.exports = { hasCompiler: hasCompiler, prepareTests: prepareTests, prepareVideo: prepareVideo };
