// What SVM adds to each logical processor, as registers: GIF, and what VMRUN takes from the control area of a VMCB and the
// processor keeps until #VMEXIT (APM, "Basic Operation"). They are state like any other register: a guest follows from them.
import type { Cpu, MachineDefinition, MachineState, PluginRegister } from '@retrovisor/core';

/** No VMCB was used yet: no address of one, for these are aligned. */
const NO_VMCB = 1n;

/** By name, in slot order: the six vectors of intercepts follow each other. */
export const PROCESSOR_REGISTERS = {
  GIF: { width: 32, reset: 1n },
  /** Physical address of the VMCB of the last VMRUN, VMLOAD or VMSAVE; in guest mode that of the guest. */
  VMCB: { width: 64, reset: NO_VMCB },
  /** Physical address of the VMCB that the registers below were loaded from. */
  LOADED_VMCB: { width: 64, reset: NO_VMCB },
  INTERCEPT_0: { width: 32 },
  INTERCEPT_1: { width: 32 },
  INTERCEPT_2: { width: 32 },
  INTERCEPT_3: { width: 32 },
  INTERCEPT_4: { width: 32 },
  INTERCEPT_5: { width: 32 },
  /** Threshold in bits 15:0, count in bits 31:16, as in the VMCB. */
  PAUSE_FILTER: { width: 32 },
  IOPM_BASE_PA: { width: 64 },
  MSRPM_BASE_PA: { width: 64 },
  TSC_OFFSET: { width: 64 },
  ASID: { width: 32 },
  VIRTUAL_INTERRUPT: { width: 64 },
  NP_CONTROL: { width: 64 },
  N_CR3: { width: 64 },
  EVENTINJ: { width: 64 },
  EXTENSIONS: { width: 64 },
  NRIP: { width: 64 },
  /** PAUSEs until the filter lets one through to the intercept, and the time of the last one. */
  PAUSE_COUNT: { width: 32 },
  PAUSE_TIME: { width: 64 },
  /** Of the host while a guest runs: its paging mode translates guest-physical addresses, its IF masks physical interrupts. */
  HOST_CR0: { width: 64 },
  HOST_CR4: { width: 64 },
  HOST_EFER: { width: 64 },
  HOST_RFLAGS: { width: 64 },
  HOST_PAT: { width: 64 },
} as const satisfies Readonly<Record<string, PluginRegister>>;

type RegisterName = keyof typeof PROCESSOR_REGISTERS;

/** The slot of each register on a machine. */
type Slots = Readonly<Record<RegisterName, number>>;

let knownDefinition: MachineDefinition | undefined;
let knownSlots: Slots | undefined;

/** Slots differ between machines; the last machine's are at hand. */
function slotsOf(definition: MachineDefinition): Slots {
  if (definition === knownDefinition && knownSlots !== undefined) return knownSlots;
  const names = Object.keys(PROCESSOR_REGISTERS) as RegisterName[];
  knownSlots = Object.fromEntries(
    names.map((name) => [name, definition.registers.slot(`svm.${name}`)]),
  ) as unknown as Slots;
  knownDefinition = definition;
  return knownSlots;
}

/** The slot of a register: its halves are the words at twice the number, the low one first. */
export const registerSlot = (cpu: Cpu, name: RegisterName): number => slotsOf(cpu.definition)[name];

/** The low 32 bits of a register, signed. */
export const lowWord = (cpu: Cpu, name: RegisterName): number => cpu.words[slotsOf(cpu.definition)[name] * 2] as number;

/** Changes the low 32 bits. */
export function setLowWord(cpu: Cpu, name: RegisterName, value: number): void {
  const slot = slotsOf(cpu.definition)[name];
  cpu.writeWords(slot, value, cpu.words[slot * 2 + 1] as number);
}

/** All 64 bits as a number: for physical addresses and other values below 2^53. */
export function numberIn(cpu: Cpu, name: RegisterName): number {
  const word = slotsOf(cpu.definition)[name] * 2;
  return ((cpu.words[word + 1] as number) >>> 0) * 2 ** 32 + ((cpu.words[word] as number) >>> 0);
}

/** Sets all 64 bits from a number below 2^53. */
export function setNumber(cpu: Cpu, name: RegisterName, value: number): void {
  cpu.writeWords(slotsOf(cpu.definition)[name], value | 0, Math.floor(value / 2 ** 32) | 0);
}

/** GIF: 1 after RESET; while it is 0, INTR, NMI, SMI, INIT and machine checks are held back. */
export const isGifSet = (cpu: Cpu): boolean => lowWord(cpu, 'GIF') !== 0;

export function setGif(cpu: Cpu, gif: boolean): void {
  setLowWord(cpu, 'GIF', gif ? 1 : 0);
  if (gif) cpu.draft.runner.attend(); // what was held may be taken now
}

/** Remembers which VMCB an instruction worked on: what people ask for. */
export function setLastVmcb(cpu: Cpu, vmcb: number): void {
  setNumber(cpu, 'VMCB', vmcb);
}

/** What SVM keeps of a processor, in a sealed state. */
export interface SvmProcessor {
  /** The global interrupt flag. */
  readonly gif: boolean;
  /** The processor executes software of a guest. */
  readonly inGuest: boolean;
  /** Physical address of the VMCB of the last VMRUN, VMLOAD or VMSAVE that completed: not architectural. */
  readonly vmcb: bigint | null;
}

/** The registers of a processor in a sealed state; undefined in a machine without the plugin. */
export function svmProcessorIn(state: MachineState, processor: number): SvmProcessor | undefined {
  const internal: Readonly<Record<string, unknown>> | undefined = state.processors[processor]?.internal;
  const { GIF: gif, VMCB: vmcb } = (internal?.['svm'] ?? {}) as Readonly<Record<string, bigint | undefined>>;
  if (internal === undefined || gif === undefined || vmcb === undefined) return undefined;
  return { gif: gif !== 0n, inGuest: internal['guestMode'] !== 0n, vmcb: vmcb === NO_VMCB ? null : vmcb };
}
