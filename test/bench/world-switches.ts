// From a host to a guest and back: VMRUN of a guest that executes CPUID, which is intercepted, in a loop of fetched instructions.
// An iteration is VMRUN, CPUID that ends in #VMEXIT, and a jump.
import { createMachine, rawImage } from '@retrovisor/core';
import { findVmcbPlace, svm } from '@retrovisor/svm';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import type { Section } from './report.js';

const NANOSECONDS = 1e9;
const GOAL = 100_000;
const LOAD = 0x10_0000;
/** VMRUN and a jump back to it; at 100H the guest's CPUID. */
const GUEST = 0x100;
const CODE = Uint8Array.from({ length: GUEST + 2 }, (_, index) => {
  const code: Readonly<Record<number, number>> = { 0: 0x0f, 1: 0x01, 2: 0xd8, 3: 0xeb, 4: 0xfb, 256: 0x0f, 257: 0xa2 };
  return code[index] ?? 0x90;
});
const VMCB = 0x20_0000n;
const HOST_SAVE = 0x21_0000n;
const MAPS = 0x22_0000n;
const SVME = 0x1000n;
const STEPS = 3;

/** A machine whose host enters and leaves a guest for ever. */
function machineInSwitches() {
  const boot = rawImage({ bytes: CODE, mode: 'long', load: LOAD });
  const machine = createMachine({ profile: 'amd-server', boot, memory: 16 * 2 ** 20, plugins: [svm] });
  const cpu = machine.processor(0);
  cpu.set('IA32_EFER', cpu.read('IA32_EFER') | SVME);
  cpu.set('VM_HSAVE_PA', HOST_SAVE);
  cpu.set('RAX', VMCB);
  const fields: Readonly<Record<string, bigint>> = {
    'Intercept vector 3': 1n << 18n, // CPUID
    'Intercept vector 4': 1n, // VMRUN
    IOPM_BASE_PA: MAPS,
    MSRPM_BASE_PA: MAPS,
    'Guest ASID': 1n,
    EFER: cpu.read('IA32_EFER'),
    CR0: cpu.read('CR0'),
    CR3: cpu.read('CR3'),
    CR4: cpu.read('CR4'),
    RFLAGS: 2n,
    RIP: BigInt(LOAD + GUEST),
    'CS.attributes': 0xa9bn,
    'SS.attributes': 0xc93n,
  };
  for (const [name, value] of Object.entries(fields)) {
    const { offset = 0, bytes = 8 } = findVmcbPlace(name) ?? {};
    const stored = Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
    machine.writeMemory(VMCB + BigInt(offset), stored);
  }
  return machine;
}

function contestant(effort: Effort): Contestant {
  return {
    name: 'VMRUN and #VMEXIT of CPUID',
    prepare: () => {
      const machine = machineInSwitches();
      machine.run({ maxSteps: amount(effort, 3_000) });
      const switches = amount(effort, 100_000);
      return () => {
        const ran = machine.run({ maxSteps: switches * STEPS });
        if (ran.steps !== switches * STEPS) throw new RangeError(`the guests stopped after ${ran.steps} steps`);
        return switches;
      };
    },
  };
}

/** Round trips a second. */
export function worldSwitches(effort: Effort): Section {
  const [[name, nanoseconds] = ['', Number.NaN]] = measure(effort, [contestant(effort)]);
  const value = NANOSECONDS / nanoseconds;
  return {
    title: 'World switches',
    rows: [{ name, value, unit: 'round trips/s', goals: [{ text: '100,000', met: value >= GOAL }] }],
  };
}
