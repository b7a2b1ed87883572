'use strict';
// Knows what has been prepared already, and from which sources, so that a second start has nothing to do.
var crypto = require('crypto');
var fs = require('fs');
var path = require('path');

/** Lives in node_modules on purpose: whoever deletes that folder to begin afresh does begin afresh. */
var stampFile = path.join('node_modules', '.obscura-setup.json');
var addonFile = path.join('native', 'build', 'Release', 'obscura_system.node');
var builtFile = path.join('dist', 'main.js');
var pageSource = path.join('src', 'web');
var builtPage = path.join('dist', 'web', 'index.html');

function fingerprints() {
  // Binaries fit one binary interface of Node, so a change of Node asks for new ones.
  var binary = [process.versions.modules, process.arch, process.platform];
  return {
    dependencies: hash([read('package-lock.json')].concat(binary)),
    native: hash(files('native').concat(binary)),
    // What Debian packages are wanted; an update may want more.
    machine: hash([read(path.join('scripts', 'setup', 'debian.cjs'))]),
    build: hash(files('src').concat(['tsconfig.json', 'tsconfig.build.json'].map(read))),
  };
}

/** What the stamp says, less what has been deleted since. */
function readStamp() {
  var stamp;
  try {
    stamp = JSON.parse(fs.readFileSync(stampFile, 'utf8'));
  } catch (error) {
    return {};
  }
  if (!fs.existsSync(addonFile)) delete stamp.native;
  if (!fs.existsSync(builtFile)) delete stamp.build;
  if (fs.existsSync(pageSource) && !fs.existsSync(builtPage)) delete stamp.build;
  return stamp;
}

/** In one go, so that a start at this very moment reads the old stamp or the new one. */
function writeStamp(stamp) {
  fs.writeFileSync(stampFile + '.new', JSON.stringify(stamp) + '\n');
  fs.renameSync(stampFile + '.new', stampFile);
}

function isReady(stamp, wanted, forTests) {
  return (
    stamp.dependencies === wanted.dependencies &&
    stamp.native === wanted.native &&
    stamp.build === wanted.build &&
    stamp.media === wanted.machine &&
    (stamp.tests === wanted.machine || !forTests)
  );
}

/** Names, sizes and times of all files below a folder: enough to see a change, and quick enough for every start. */
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
      found.push(name + ' ' + stat.size + ' ' + stat.mtimeMs);
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

module.exports = {
  addonFile: addonFile,
  builtFile: builtFile,
  pageSource: pageSource,
  fingerprints: fingerprints,
  isReady: isReady,
  readStamp: readStamp,
  writeStamp: writeStamp,
};
