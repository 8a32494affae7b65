'use strict';

// Ends the command line of Capacitor whose hook failed. What @capacitor/cli makes of
// a hook's status (cli/src/tasks/copy.ts and sync.ts, the same from 3.0.0 to 8.4.2):
// cap copy prints a stack trace, goes on to the next command and ends with 0, and so
// does the copy of cap sync. A build without its policy would be a success.
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');

const PATIENCE = 3000; // milliseconds for it to end, and put the terminal right, before this process does

/** The parent of a process and its arguments; it throws where the system does not tell. */
function look(pid) {
  if (process.platform === 'linux') {
    const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return { parent: Number(parent[1]), args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') };
  }
  const said = execFileSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [, parent, args] = /^\s*(\d+)\s+(.*)/.exec(said);
  return { parent: Number(parent), args: args.split(/\s+/) };
}

/** Whether a process is one that runs the program cap or capacitor: node .../node_modules/.bin/cap sync. */
function isCapacitor(args) {
  return args.slice(1).some((arg) => /^cap(acitor)?$/.test(path.basename(arg)));
}

/**
 * The process of Capacitor's command line, 0 where there is none for certain: it is
 * the parent of this one, or that of the shell between them.
 */
function commandLine(pid, lookAt = look) {
  try {
    for (let generation = 0; generation < 2 && pid > 1; generation++) {
      const { parent, args } = lookAt(pid);
      if (isCapacitor(args)) return pid;
      pid = parent;
    }
  } catch {
    // A system that does not tell: the hook's status has to do.
  }
  return 0;
}

/** Ends it, and waits until it has: then it says nothing more. */
function endCapacitor() {
  const pid = process.env.CAPACITOR_ROOT_DIR ? commandLine(process.ppid) : 0;
  if (pid === 0) return;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  try {
    process.kill(pid, 'SIGTERM');
    for (const end = Date.now() + PATIENCE; Date.now() < end; Atomics.wait(pause, 0, 0, 20)) process.kill(pid, 0);
  } catch {
    // It is gone.
  }
}

module.exports = { commandLine, endCapacitor };
