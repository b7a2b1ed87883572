'use strict';
// Runs the tools of the set-up: one line on the terminal for each, everything they say in a log file.
var childProcess = require('child_process');
var fs = require('fs');
var path = require('path');

var logFile = path.join('.cache', 'setup.log');
var shownOnFailure = 15;
var log;

/** Runs one tool and says how it went; ends the set-up with the last of the tool's words if it had to work. */
function step(title, command, options) {
  if (log === undefined) openLog();
  process.stdout.write('  - ' + title + ' ...');
  var began = Date.now();
  fs.writeSync(log, '\n$ ' + command.join(' ') + '\n');
  var result = childProcess.spawnSync(command[0], command.slice(1), {
    env: options.environment,
    stdio: ['inherit', log, log],
  });
  if (result.error) fs.writeSync(log, String(result.error) + '\n');
  if (result.signal) fs.writeSync(log, 'ended by ' + result.signal + '\n');
  var good = result.status === 0;
  process.stdout.write((good ? ' ok' : ' FAILED') + ' (' + seconds(began) + ' s)\n');
  if (!good && options.needed) {
    var lines = fs.readFileSync(logFile, 'utf8').trim().split('\n');
    fail(1, title + ' failed. The last lines of ' + logFile + ':', lines.slice(-shownOnFailure));
  }
  return good;
}

function openLog() {
  fs.mkdirSync(path.dirname(logFile), { recursive: true });
  log = fs.openSync(logFile, 'w');
  process.stdout.write('Preparing Obscura (details in ' + logFile + ')\n');
}

/** Whether any step was run: a set-up that found nothing to do has nothing to say. */
function anyStep() {
  return log !== undefined;
}

/** Runs a tool just for its answer. */
function works(command, args) {
  return childProcess.spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1);
}

function fail(code, message, lines) {
  process.stderr.write('\n' + message + '\n');
  lines.forEach(function (line) {
    process.stderr.write('    ' + line + '\n');
  });
  process.exit(code);
}

module.exports = { anyStep: anyStep, fail: fail, seconds: seconds, step: step, works: works };
