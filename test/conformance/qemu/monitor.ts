// QEMU as a second opinion: a guest runs under TCG until every processor has halted for good, and its console and final
// registers are read through the monitor (QMP, "info registers").
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { COMPARED_REGISTERS, type FoundGuest, type GuestResult, linesOf } from '../../guests/guest.js';

const QEMU = 'qemu-system-x86_64';
const POLL_MS = 50;
const PATIENCE_MS = 60_000;
/** A value written there is (value << 1) | 1 as QEMU's exit status. */
const DEBUG_EXIT = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];

/** Runs a guest twice: to its debug exit for the value, and without that device to its last HLT for the registers. */
export async function runOnQemu(guest: FoundGuest): Promise<GuestResult & { readonly from: string }> {
  const halted = await session(guest, [], (process) => registersAtEnd(process, guest));
  const exit = await session(guest, DEBUG_EXIT, (process) => exitValue(process));
  const from = `${await version()}, TCG`;
  return { from, console: halted.console, exit: exit.result, registers: halted.result };
}

async function session<Result>(
  { image, folder, description }: FoundGuest,
  devices: readonly string[],
  work: (process: ChildProcessWithoutNullStreams) => Promise<Result>,
): Promise<{ readonly result: Result; readonly console: GuestResult['console'] }> {
  const scratch = mkdtempSync(join(tmpdir(), 'retrovisor-qemu-'));
  const sinks = { debugcon: join(scratch, 'debugcon'), com1: join(scratch, 'com1') };
  const own = (description.qemu ?? []).map((word) => word.replace('$IMAGE', image).replaceAll('$FOLDER', folder));
  const words = ['-accel', 'tcg', '-display', 'none', '-no-reboot', '-qmp', 'stdio'];
  const consoles = ['-debugcon', `file:${sinks.debugcon}`, '-serial', `file:${sinks.com1}`];
  const qemu = spawn(QEMU, [...words, ...consoles, ...devices, ...own]);
  try {
    const result = await work(qemu);
    return { result, console: consolesIn(sinks) };
  } finally {
    qemu.kill();
    rmSync(scratch, { recursive: true });
  }
}

function consolesIn(sinks: Readonly<Record<string, string>>): GuestResult['console'] {
  const written = Object.entries(sinks).map(
    ([device, file]) => [device, existsSync(file) ? readFileSync(file) : Buffer.alloc(0)] as const,
  );
  return Object.fromEntries(
    written.filter(([, bytes]) => bytes.length > 0).map(([device, bytes]) => [device, linesOf(bytes)]),
  );
}

/** The value at the debug exit; null for a guest that only halts. */
async function exitValue(qemu: ChildProcessWithoutNullStreams): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => qemu.once('exit', resolve));
  const monitor = new Monitor(qemu);
  const halted = untilHalted(monitor).then(
    () => null,
    () => ended, // its monitor may be gone a moment before it has exited
  );
  const status = await Promise.race([ended, halted]);
  return status === null ? null : status >> 1;
}

async function registersAtEnd(
  qemu: ChildProcessWithoutNullStreams,
  { description: { notCompared = {} } }: FoundGuest,
): Promise<GuestResult['registers']> {
  const dumps = await untilHalted(new Monitor(qemu));
  const names = COMPARED_REGISTERS.filter((name) => !(name in notCompared));
  return dumps.map((dump) => Object.fromEntries(names.map((name) => [name, registerIn(dump, name)])));
}

/** `info registers` of each processor, once all of them wait with interrupts masked. */
async function untilHalted(monitor: Monitor): Promise<readonly string[]> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await wait(POLL_MS)) {
    const text = await monitor.command('info registers -a');
    const dumps = text.split(/^CPU#\d+\r?$/m).slice(1);
    const isOver = (dump: string) => dump.includes('HLT=1') && (valueIn(dump, 'RFLAGS') & 0x200n) === 0n;
    if (dumps.length > 0 && dumps.every(isOver)) return dumps;
  }
  throw new Error('the guest did not end: it should halt with interrupts masked');
}

/** QEMU's names where they differ; outside of 64-bit mode it prints the low halves under the names of 32 bits. */
const NAMES: Readonly<Record<string, readonly string[]>> = { RFLAGS: ['RFL', 'EFL'], IA32_EFER: ['EFER'] };

function registerIn(dump: string, name: string): string {
  return `0x${valueIn(dump, name).toString(16)}`;
}

function valueIn(dump: string, name: string): bigint {
  const segment = /^(.S)\.selector$/.exec(name)?.[1];
  const names = segment === undefined ? (NAMES[name] ?? [name, name.replace(/^R/, 'E')]) : [segment];
  for (const each of names) {
    const found = new RegExp(`\\b${each} *= *([0-9a-f]+)`).exec(dump)?.[1];
    if (found !== undefined) return BigInt(`0x${found}`);
  }
  return 0n; // R8 to R15 outside of 64-bit mode
}

/** One command at a time over QMP. */
class Monitor {
  readonly #qemu: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #greeted = false;

  constructor(qemu: ChildProcessWithoutNullStreams) {
    this.#qemu = qemu;
    this.#answers = createInterface({ input: qemu.stdout })[Symbol.asyncIterator]();
    qemu.stdin.on('error', () => {}); // QEMU has exited: the next answer says so
  }

  /** A command of the human monitor and what it prints. */
  async command(line: string): Promise<string> {
    if (!this.#greeted) await this.#execute('qmp_capabilities');
    this.#greeted = true;
    return (await this.#execute('human-monitor-command', { 'command-line': line })) as string;
  }

  async #execute(name: string, given?: object): Promise<unknown> {
    this.#qemu.stdin.write(`${JSON.stringify({ execute: name, arguments: given })}\n`);
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done === true) throw new Error('QEMU has ended');
      const answer = JSON.parse(value) as { return?: unknown; error?: { desc: string } };
      if (answer.error !== undefined) throw new Error(answer.error.desc);
      if ('return' in answer) return answer.return;
    }
  }
}

async function version(): Promise<string> {
  const qemu = spawn(QEMU, ['--version']);
  const { value } = await createInterface({ input: qemu.stdout })[Symbol.asyncIterator]().next();
  return String(value).replace(/ \(.*$/, '');
}
