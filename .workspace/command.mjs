// Runs other programs: the same way everywhere, with their output kept or shown.
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { ROOT } from './freshness.mjs';

// Programs see no terminal while their output is kept: the one of this command decides whether they use colour.
const COLOUR = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: '0' };
const PATH = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);

/** Resolves to the exit status and, unless it was shown as it came, what the program printed on both streams. */
export function run(program, args, { cwd = ROOT, env = {}, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...COLOUR, PATH, ...env },
      stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32', // programs are .cmd files there
    });
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const killed = signal ? `\n${program} was ended by ${signal}\n` : '';
      resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() + killed });
    });
  });
}

/** What a step failed with, in words that stand for themselves: set-up prints it without a stack trace. */
export class StepError extends Error {}

/** Says what starts, and on the same line how long it took. `stream` is where people read: stdout or stderr. */
export async function step(stream, what, work) {
  const start = performance.now();
  stream.write(`${what} … `);
  try {
    const result = await work();
    stream.write(`${seconds(performance.now() - start)}\n`);
    return result;
  } catch (error) {
    stream.write('failed\n');
    throw error;
  }
}

export const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

/** Runs `main`; a failed step is a message and exit status 1, anything else is a mistake in these scripts. */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    process.stderr.write(`${error.message.trimEnd()}\n`);
    process.exitCode = 1;
  }
}
