// A machine in 64-bit mode on which VMX may be entered: CR0.NE, CR4.VMXE, IA32_FEATURE_CONTROL as firmware leaves it,
// and regions with the revision identifier in memory. What a test wants otherwise it says.
import { CR0, CR4, createMachine, longMode, type Machine, type Plugin, type ProcessorProfile } from '@retrovisor/core';
import { vmx } from '../../src/index.js';

/** Physical addresses, mapped to themselves, clear of what the boot image needs. */
export const VMXON_REGIONS = [0x20_0000n, 0x20_1000n] as const;
export const VMXON_REGION = VMXON_REGIONS[0];
export const VMCS = 0x21_0000n;
export const OTHER_VMCS = 0x21_1000n;
export const DATA = 0x22_0000n;
const CODE = 0x10_0000n;

/** IA32_VMX_BASIC[30:0] of both Intel profiles. */
export const REVISION = 0x13n;

type Bits<Names extends string> = { readonly [Name in Names]?: 0 | 1 };

export interface Overrides {
  readonly profile?: string | ProcessorProfile;
  readonly CR0?: Bits<keyof typeof CR0.bits>;
  readonly CR4?: Bits<keyof typeof CR4.bits>;
  readonly IA32_FEATURE_CONTROL?: bigint;
}

/** A machine with the intrinsics of VMX. */
export type VmxMachineUnderTest = Machine<readonly [typeof vmx]>;

/** A machine of two processors with VMX and any further plugins. */
export function bootedMachine(overrides: Overrides = {}, others: readonly Plugin[] = []): VmxMachineUnderTest {
  const { profile = 'intel-server' } = overrides;
  const plugins = [vmx, ...others] as unknown as readonly [typeof vmx];
  const machine = createMachine({ profile, processors: 2, memory: 4 * 2 ** 20, plugins, boot: longMode() });
  for (const id of [0, 1]) {
    const cpu = machine.processor(id);
    cpu.set('activity', 0n); // the second processor too, which boots waiting for a SIPI
    cpu.set('CR0', withBits(cpu.read('CR0'), CR0.bits, { NE: 1, ...overrides.CR0 }));
    cpu.set('CR4', withBits(cpu.read('CR4'), CR4.bits, { VMXE: 1, ...overrides.CR4 }));
    cpu.set('IA32_FEATURE_CONTROL', overrides.IA32_FEATURE_CONTROL ?? 5n);
  }
  for (const region of [...VMXON_REGIONS, VMCS, OTHER_VMCS]) writeValue(machine, region, 4, REVISION);
  return machine;
}

/** The same in VMX root operation on processor 0, with a VMCS that is current and clear. */
export function rootMachine(overrides: Overrides = {}, others: readonly Plugin[] = []): VmxMachineUnderTest {
  const machine = bootedMachine(overrides, others);
  const cpu = machine.processor(0);
  cpu.vmxon(VMXON_REGION);
  cpu.vmclear(VMCS);
  cpu.vmptrld(VMCS);
  return machine;
}

function withBits(value: bigint, bits: Readonly<Record<string, number>>, wanted: Bits<string>): bigint {
  return Object.entries(wanted).reduce((result, [name, set]) => {
    const mask = 1n << BigInt(bits[name] ?? 0);
    return set ? result | mask : result & ~mask;
  }, value);
}

/** Stores a little-endian value as a debugger does. */
export function writeValue(machine: VmxMachineUnderTest, address: bigint, bytes: number, value: bigint): void {
  machine.writeMemory(
    address,
    Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn)),
  );
}

/** A little-endian value of physical memory. */
export function readValue(machine: VmxMachineUnderTest, address: bigint, bytes: 1 | 2 | 4 | 8): bigint {
  return machine.state.memory.readValue(address, bytes);
}

/** Puts machine code at CODE and executes one instruction of it on a processor. */
export function execute(machine: VmxMachineUnderTest, code: readonly number[], processor = 0) {
  machine.writeMemory(CODE, Uint8Array.from(code));
  machine.processor(processor).set('RIP', CODE);
  return machine.processor(processor).step();
}

/** The six status flags by name, as printed when set. */
export function statusFlags(rflags: bigint): string {
  const flags = { CF: 0n, PF: 2n, AF: 4n, ZF: 6n, SF: 7n, OF: 11n };
  return Object.entries(flags)
    .filter(([, bit]) => (rflags >> bit) & 1n)
    .map(([name]) => name)
    .join(' ');
}
