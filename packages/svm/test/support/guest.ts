// Guests for the tests: a VMCB whose guest runs in the host's own 64-bit mode, with every field by name.
import { findVmcbPlace } from '../../src/index.js';
import { type SvmProcessorHandle, svmMachine, VMCB } from './svm-machine.js';

export type SvmMachine = ReturnType<typeof svmMachine>;

/** Where the guest's code lies, its stack ends, the host state is saved, and the maps are. */
const GUEST_CODE = 0x30_0000n;
const GUEST_STACK = 0x31_0000n;
export const HOST_SAVE = 0x21_0000n;
const IOPM = 0x22_0000n;
const MSRPM = 0x23_0000n;

/** Bits of intercept vectors 3 and 4. */
const VMRUN_INTERCEPT = 1n;
export const CODE_64 = 0xa9bn;
const DATA = 0xc93n;

/** Writes a field of a VMCB, or a part of one. */
export function setField(machine: SvmMachine, name: string, value: bigint, vmcb = VMCB): void {
  const place = findVmcbPlace(name);
  if (place === undefined) throw new RangeError(`no field ${name}`);
  const bytes = Uint8Array.from({ length: place.bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
  machine.writeMemory(vmcb + BigInt(place.offset), bytes);
}

/** A field of a VMCB. */
export function field(machine: SvmMachine, name: string, vmcb = VMCB): bigint {
  const place = findVmcbPlace(name);
  if (place === undefined) throw new RangeError(`no field ${name}`);
  const bytes = machine.state.memory.read(vmcb + BigInt(place.offset), place.bytes);
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The fields of a guest that VMRUN accepts. */
export function guestFields(cpu: SvmProcessorHandle): Readonly<Record<string, bigint>> {
  return {
    'Intercept vector 4': VMRUN_INTERCEPT,
    IOPM_BASE_PA: IOPM,
    MSRPM_BASE_PA: MSRPM,
    'Guest ASID': 1n,
    EFER: cpu.read('IA32_EFER'),
    CR0: cpu.read('CR0'),
    CR3: cpu.read('CR3'),
    CR4: cpu.read('CR4'),
    DR6: 0xffff_0ff0n,
    DR7: 0x400n,
    RFLAGS: 2n,
    RIP: GUEST_CODE,
    RSP: GUEST_STACK,
    'CS.selector': 8n,
    'CS.attributes': CODE_64,
    'CS.limit': 0xffff_ffffn,
    'SS.selector': 0x10n,
    'SS.attributes': DATA,
    'SS.limit': 0xffff_ffffn,
    'DS.attributes': DATA,
    'DS.limit': 0xffff_ffffn,
    'ES.attributes': DATA,
    'ES.limit': 0xffff_ffffn,
    'IDTR.limit': 0xfffn,
    G_PAT: 0x0007_0406_0007_0406n,
  };
}

/** A machine with a VMCB that VMRUN accepts, whose guest executes `code`. */
export function machineWithGuest(
  code: readonly number[] = [0x0f, 0xa2],
  changes: Readonly<Record<string, bigint>> = {},
  profile: Parameters<typeof svmMachine>[0] = 'amd-server',
): SvmMachine {
  const machine = svmMachine(profile);
  prepareGuest(machine, changes);
  machine.writeMemory(GUEST_CODE, Uint8Array.from(code));
  return machine;
}

/** Writes the VMCB and points VM_HSAVE_PA to the host save area. */
export function prepareGuest(machine: SvmMachine, changes: Readonly<Record<string, bigint>> = {}): void {
  const cpu = machine.processor(0);
  cpu.set('VM_HSAVE_PA', HOST_SAVE);
  for (const [name, value] of Object.entries({ ...guestFields(cpu), ...changes })) setField(machine, name, value);
}
