// Modes that VMX instructions meet, entered by setting registers as a debugger does.
import { type VmxMachineUnderTest, writeValue } from './machine.js';

type Recipe = (machine: VmxMachineUnderTest) => void;

const set =
  (registers: Readonly<Record<string, bigint>>): Recipe =>
  (machine) => {
    for (const [name, value] of Object.entries(registers)) machine.processor(0).set(name, value);
  };

const COMPATIBILITY = set({ 'CS.attributes': 0xc09bn });
const PAGE_DIRECTORY = 0x30_0000n;

/** 32-bit protected mode with 32-bit paging, which VMX operation needs: 4-MByte pages mapped to themselves. */
function protectedMode(machine: VmxMachineUnderTest): void {
  writeValue(machine, PAGE_DIRECTORY, 4, 0x83n);
  const cpu = machine.processor(0);
  const PSE = 1n << 4n;
  const PAE = 1n << 5n;
  set({
    'CS.attributes': 0xc09bn,
    IA32_EFER: 0n,
    CR3: PAGE_DIRECTORY,
    CR4: (cpu.read('CR4') | PSE) & ~PAE,
  })(machine);
}

function virtual8086(machine: VmxMachineUnderTest): void {
  protectedMode(machine);
  set({ 'CS.attributes': 0xf3n, 'SS.attributes': 0xf3n, RFLAGS: 0x2_3002n })(machine);
}

/** Each mode with the way into it. */
export const MODES = {
  '64-bit mode': () => {},
  'compatibility mode': COMPATIBILITY,
  'protected mode': protectedMode,
  'virtual-8086 mode': virtual8086,
  'real-address mode': (machine: VmxMachineUnderTest) => {
    const cpu = machine.processor(0);
    set({ CR0: cpu.read('CR0') & ~0x8000_0001n, IA32_EFER: 0n, 'CS.attributes': 0x9bn })(machine);
  },
} as const satisfies Readonly<Record<string, Recipe>>;

/** Makes processor 0 run at a privilege level: CPL is SS.DPL. */
export function setPrivilege(machine: VmxMachineUnderTest, level: 0 | 1 | 2 | 3): void {
  const cpu = machine.processor(0);
  const dpl = 3n << 5n;
  cpu.set('SS.attributes', (cpu.read('SS.attributes') & ~dpl) | (BigInt(level) << 5n));
}
