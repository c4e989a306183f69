// Guest workloads: the same multiboot kernels on this machine, recorded and not, on v86, and on QEMU where it is installed.
// Bochs is left out: it boots from a disk only.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createMachine, type Machine, memorySink, multibootImage, recordMachine } from '@retrovisor/core';
import { V86 } from 'v86';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import type { Row, Section } from './report.js';

interface Workload {
  readonly name: string;
  readonly file: string;
  /** Million instructions a second, recorded. */
  readonly goal: number;
  /** Rounds of its outer loop that take QEMU about a second. */
  readonly rounds: number;
  /** v86 looks for interrupts between slices of a millisecond: of those here it takes one in five hundred. */
  readonly withoutV86?: boolean;
}

const WORKLOADS: readonly Workload[] = [
  { name: 'integer loop with loads and stores', file: 'integer', goal: 25, rounds: 60_000 },
  { name: 'branchy sort', file: 'sort', goal: 10, rounds: 60_000 },
  { name: 'memory copy', file: 'copy', goal: 10, rounds: 60_000 },
  { name: 'system-call ping-pong', file: 'syscall', goal: 10, rounds: 30_000 },
  { name: 'interrupt-heavy', file: 'interrupt', goal: 10, rounds: 10_000, withoutV86: true },
];

const MEMORY_BYTES = 32 * 2 ** 20;
const STEPS = 3_000_000;
/** Where the count of rounds lies in the files. */
const ROUNDS_OFFSET = 0x1000;
const V86_SECONDS = 1;

const readWorkload = (file: string): Buffer => readFileSync(new URL(`workloads/${file}.bin`, import.meta.url));

function machineFor({ file }: Workload): Machine {
  const boot = multibootImage({ bytes: readWorkload(file), fileName: file, memoryBytes: MEMORY_BYTES });
  return createMachine({ profile: 'intel-server', memory: MEMORY_BYTES, boot });
}

function contestant(effort: Effort, workload: Workload, recorded: boolean): Contestant {
  return {
    name: `${workload.name}${recorded ? ', recorded' : ''}`,
    prepare: () => {
      const machine = machineFor(workload);
      machine.run({ maxSteps: amount(effort, 300_000) });
      const recording = recorded ? recordMachine(machine, memorySink()) : undefined;
      return () => {
        const { steps } = machine.run({ maxSteps: amount(effort, STEPS) });
        recording?.close();
        return steps;
      };
    },
  };
}

/** v86 runs on the event loop: instructions against the processor time of this process over a while, warm. */
async function v86Mips({ scale }: Effort, { file }: Workload): Promise<number> {
  const folder = dirname(createRequire(import.meta.url).resolve('v86'));
  const emulator = new V86({
    wasm_path: join(folder, 'v86.wasm'),
    multiboot: { buffer: Uint8Array.from(readWorkload(file)).buffer },
    memory_size: MEMORY_BYTES,
    autostart: true,
    acpi: true, // brings the local APIC
    log_level: 0,
  });
  try {
    await pause(V86_SECONDS * 1000 * Math.max(scale, 0.3));
    const [before, started] = [emulator.get_instruction_counter(), process.cpuUsage()];
    await pause(V86_SECONDS * 1000 * Math.max(scale, 0.1));
    const { user, system } = process.cpuUsage(started);
    return ((emulator.get_instruction_counter() - before) >>> 0) / (user + system); // the counter has 32 bits
  } finally {
    await emulator.destroy();
  }
}

/** QEMU runs a number of rounds and exits; what it takes for one round is start-up and is taken off. */
function qemuMips(workload: Workload): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'retrovisor-bench-'));
  try {
    const seconds = (rounds: number): number | undefined => {
      const image = readWorkload(workload.file);
      image.writeUInt32LE(rounds, ROUNDS_OFFSET);
      const path = join(folder, 'workload.bin');
      writeFileSync(path, image);
      const arguments_ = ['-accel', 'tcg', '-m', '32', '-display', 'none', '-no-reboot', '-kernel', path];
      const start = process.hrtime.bigint();
      const ran = spawnSync('qemu-system-x86_64', [...arguments_, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'], {
        stdio: 'ignore',
        timeout: 60_000,
      });
      return ran.status === 1 ? Number(process.hrtime.bigint() - start) / 1e9 : undefined;
    };
    const [startUp, whole] = [seconds(1), seconds(workload.rounds)];
    if (startUp === undefined || whole === undefined) return undefined;
    return (instructionsOfRound(workload) * (workload.rounds - 1)) / (whole - startUp) / 1e6;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Told by this machine, which counts them; the mean of some rounds. */
function instructionsOfRound({ file }: Workload): number {
  const stepsOf = (rounds: number): number => {
    const bytes = readWorkload(file);
    bytes.writeUInt32LE(rounds, ROUNDS_OFFSET);
    const boot = multibootImage({ bytes, fileName: file, memoryBytes: MEMORY_BYTES });
    return createMachine({ profile: 'intel-server', memory: MEMORY_BYTES, boot }).run({ maxSteps: 10_000_000 }).steps;
  };
  return (stepsOf(11) - stepsOf(1)) / 10;
}

/** Million instructions a second. */
export async function workloads(effort: Effort): Promise<Section> {
  const contestants = WORKLOADS.flatMap((each) => [contestant(effort, each, false), contestant(effort, each, true)]);
  const times = measure(effort, contestants);
  const rows: Row[] = [];
  for (const workload of WORKLOADS) {
    const mips = (recorded: boolean) => 1000 / (times.get(contestant(effort, workload, recorded).name) ?? Number.NaN);
    const [plain, recorded] = [mips(false), mips(true)];
    const v86 = workload.withoutV86 === true ? undefined : await v86Mips(effort, workload);
    const qemu = effort.scale < 1 ? undefined : qemuMips(workload);
    rows.push(
      {
        name: workload.name,
        value: plain,
        unit: 'MIPS',
        ...(v86 === undefined ? {} : { ratios: { '× v86': plain / v86 } }),
      },
      {
        name: `${workload.name}, recorded`,
        value: recorded,
        unit: 'MIPS',
        ratios: { '× not recorded': recorded / plain },
        goal: { text: `${workload.goal}`, met: recorded >= workload.goal },
      },
      ...(v86 === undefined ? [] : [{ name: `${workload.name}, v86`, value: v86, unit: 'MIPS' }]),
      ...(qemu === undefined ? [] : [{ name: `${workload.name}, QEMU TCG`, value: qemu, unit: 'MIPS' }]),
    );
  }
  return { title: 'Guest workloads', rows };
}
