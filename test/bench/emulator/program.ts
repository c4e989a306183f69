// Emulators that run as programs: a kernel runs a number of rounds and ends the emulator. What it takes for one round is
// start-up and is taken off.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, runTimed } from './processor-time.js';

/** An emulator as a program. */
export interface EmulatorProgram {
  readonly name: string;
  /** Rounds that it is given beside what QEMU gets: a slower one needs fewer for the same time. */
  readonly share: number;
  /** Commands that run a kernel, from files that are written to the folder; the first one that works is taken. */
  commandsFor(kernel: Uint8Array, folder: string): readonly Command[];
  /** Whether the kernel ended the emulator, rather than something else. */
  endedByKernel(status: number | null, folder: string): boolean;
}

/** Where the count of rounds lies in a workload, little endian. */
export const ROUNDS_OFFSET = 0x1000;

/** A workload that ends after so many rounds. */
export function withRounds(kernel: Uint8Array, rounds: number): Uint8Array {
  const bytes = kernel.slice();
  new DataView(bytes.buffer).setUint32(ROUNDS_OFFSET, rounds, true);
  return bytes;
}

/** Rounds a second; undefined where the emulator is not installed or does not run the kernel to its end. */
export function roundsPerSecond(program: EmulatorProgram, kernel: Uint8Array, usual: number): number | undefined {
  const rounds = Math.max(2, Math.round(usual * program.share));
  const startUp = secondsOfRun(program, withRounds(kernel, 1));
  const whole = startUp === undefined ? undefined : secondsOfRun(program, withRounds(kernel, rounds));
  if (startUp === undefined || whole === undefined) return undefined;
  return (rounds - 1) / (whole - startUp);
}

function secondsOfRun(program: EmulatorProgram, kernel: Uint8Array): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'retrovisor-bench-'));
  try {
    for (const command of program.commandsFor(kernel, folder)) {
      const { status, processorSeconds } = runTimed(command);
      if (program.endedByKernel(status, folder)) return processorSeconds;
    }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
