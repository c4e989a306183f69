// Switching on VMX, step by step (SDM, "Enabling and Entering VMX Operation" and "Software Use of Virtual-Machine Control
// Structures"): processor 0 of a machine with four processors on two NUMA nodes enters VMX root operation, fills a first
// VMCS and leaves again. walk.asm beside it does the same as machine code. Each script in ../wrong replaces one step.
import { CR0, CR4, completed, isFailure, longMode, type Machine, type Outcome, type Processor } from '@retrovisor/core';
import { fitMachine, numa, XEON_8360Y } from '@retrovisor/numa';
import { fieldNamed, vmx } from '@retrovisor/vmx';

const PROCESSORS = 4;
const MEMORY_BYTES = 64 * 2 ** 20;

/** A current Intel server in small: processors 0 and 1 and the lower half of the memory are node 0, the rest is node 1. */
export const machine = {
  profile: 'intel-server',
  processors: PROCESSORS,
  memory: MEMORY_BYTES,
  plugins: [vmx, numa(fitMachine(XEON_8360Y, { processors: PROCESSORS, memoryBytes: MEMORY_BYTES }))],
  boot: longMode(),
} as const;

export type WalkMachine = Machine<typeof machine.plugins>;

/** Where the walk is made. Both addresses are physical: the boot page tables map them to themselves. */
export interface Place {
  readonly machine: WalkMachine;
  readonly cpu: Processor<typeof machine.plugins>;
  readonly vmxonRegion: bigint;
  readonly vmcsRegion: bigint;
}

export type WalkStep = (place: Place) => Outcome;

export const VMXON_REGION = 0x20_0000n;
export const VMCS_REGION = 0x20_1000n;
export const IA32_FEATURE_CONTROL = 0x3a;
export const IA32_VMX_BASIC = 0x480;
/** IA32_FEATURE_CONTROL: the lock, and the bit that enables VMXON outside SMX operation. */
export const LOCK = 1n << 0n;
export const VMXON_OUTSIDE_SMX = 1n << 2n;

const bit = (number: number): bigint => 1n << BigInt(number);

/** What RDMSR, VMREAD and MOV from a control register hand back. */
export function handedBack(outcome: Outcome): bigint {
  if ('value' in outcome && typeof outcome.value === 'bigint') return outcome.value;
  throw new Error(`no value came back: ${outcome.kind}`);
}

/** Bits 30:0 of IA32_VMX_BASIC: what software writes at offset 0 of each region. */
export function revisionIdentifier({ cpu }: Place): bigint {
  return handedBack(cpu.rdmsr(IA32_VMX_BASIC)) & 0x7fff_ffffn;
}

/** A zeroed page with a doubleword at its start, as software's own stores would leave it. */
export function writeRegion({ machine }: Place, address: bigint, firstDoubleword: bigint): Outcome {
  const page = new Uint8Array(4096);
  new DataView(page.buffer).setUint32(0, Number(firstDoubleword), true);
  return machine.writeMemory(address, page);
}

/** The walk. The steps are those of the manual, in its order. */
export const STEPS = {
  /** Firmware's part: VMXON is allowed outside SMX operation, and the choice is locked. RESET left the MSR 0. */
  enableInFeatureControl: ({ cpu }) => cpu.wrmsr(IA32_FEATURE_CONTROL, LOCK | VMXON_OUTSIDE_SMX),

  /** 1. VMX operation needs protected mode with paging, and CR0.NE (SDM, "Restrictions on VMX Operation"). */
  checkControlRegister0({ cpu }) {
    const cr0 = cpu.movFromCr0();
    const required = bit(CR0.bits.PE) | bit(CR0.bits.NE) | bit(CR0.bits.PG);
    if ((handedBack(cr0) & required) !== required) throw new Error('the boot image must leave CR0.PE, NE and PG set');
    return cr0;
  },

  /** 2. CR4.VMXE (bit 13) enables VMX: while it is 0, VMXON is #UD (SDM, "Enabling and Entering VMX Operation"). */
  enableVmx: ({ cpu }) => cpu.movToCr4(handedBack(cpu.movFromCr4()) | bit(CR4.bits.VMXE)),

  /** 3. A zeroed 4-KByte page, aligned, with the revision identifier at offset 0 (SDM, "VMXON Region"). */
  prepareVmxonRegion: (place) => writeRegion(place, place.vmxonRegion, revisionIdentifier(place)),

  /** 4. VMXON takes the physical address, from memory: VMX root operation begins (SDM, "VMXON—Enter VMX Operation"). */
  enterVmxOperation: ({ cpu, vmxonRegion }) => cpu.vmxon(vmxonRegion),

  /** 5. A VMCS is a region of its own, made in the same way (SDM, "Format of the VMCS Region"). */
  prepareVmcs: (place) => writeRegion(place, place.vmcsRegion, revisionIdentifier(place)),

  /** VMCLEAR initialises the launch state; it comes before the first VMPTRLD (SDM, "Initializing a VMCS"). */
  clearVmcs: ({ cpu, vmcsRegion }) => cpu.vmclear(vmcsRegion),

  /** The VMCS becomes active and current on this processor alone. */
  loadVmcs: ({ cpu, vmcsRegion }) => cpu.vmptrld(vmcsRegion),

  /** Fields are reached by their encodings, never by ordinary stores (SDM, "Field Encoding in VMCS"). */
  writeField: ({ cpu }) => cpu.vmwrite(fieldNamed('Guest RIP').encoding, 0x1000n),

  readField({ cpu }) {
    const read = cpu.vmread(fieldNamed('Guest RIP').encoding);
    if (!isFailure(read) && handedBack(read) !== 0x1000n) throw new Error('VMREAD must return what VMWRITE wrote');
    return read;
  },

  /** VMCLEAR again, before the VMCS or VMX operation is left: what was active is in memory now. */
  giveUpVmcs: ({ cpu, vmcsRegion }) => cpu.vmclear(vmcsRegion),

  /** The processor leaves VMX operation (SDM, "VMXOFF—Leave VMX Operation"). */
  leaveVmxOperation: ({ cpu }) => cpu.vmxoff(),
} as const satisfies Readonly<Record<string, WalkStep>>;

/** What a wrong variant changes: where, or one of the steps. */
export type Change = Partial<Record<keyof typeof STEPS, WalkStep>> & Partial<Pick<Place, 'vmxonRegion' | 'vmcsRegion'>>;

/** Walks on processor 0 until a step fails or all are done, and returns how the last one ended. */
export function walk(machine: WalkMachine, { vmxonRegion, vmcsRegion, ...steps }: Change = {}): Outcome {
  const place: Place = {
    machine,
    cpu: machine.processor(0),
    vmxonRegion: vmxonRegion ?? VMXON_REGION,
    vmcsRegion: vmcsRegion ?? VMCS_REGION,
  };
  let outcome: Outcome = completed();
  for (const step of Object.values<WalkStep>({ ...STEPS, ...steps })) {
    outcome = step(place);
    if (isFailure(outcome)) break;
  }
  return outcome;
}

export default (machine: WalkMachine): Outcome => walk(machine);
