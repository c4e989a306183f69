// The controls of the VMCS that a processor runs a guest under, as VM entry found them. A processor reads a VMCS at entry and
// need not look again (SDM, "Software Use of Virtual-Machine Control Structures"): what was loaded is kept in registers of the
// processor, so that what the guest does follows from them, and an intercept looks at a word and not at memory.
import { type Cpu, isInGuestMode, type PluginRegister } from '@retrovisor/core';
import type { Control } from '../controls.js';
import { type FieldName, fieldNamed } from '../fields.js';

/** A register, with the field that it is loaded from. */
const LOADED = {
  pinBased: 'Pin-based VM-execution controls',
  primary: 'Primary processor-based VM-execution controls',
  secondary: 'Secondary processor-based VM-execution controls',
  tertiary: 'Tertiary processor-based VM-execution controls',
  exitControls: 'Primary VM-exit controls',
  entryControls: 'VM-entry controls',
  exceptionBitmap: 'Exception bitmap',
  pageFaultMask: 'Page-fault error-code mask',
  pageFaultMatch: 'Page-fault error-code match',
  ioBitmapA: 'Address of I/O bitmap A',
  ioBitmapB: 'Address of I/O bitmap B',
  msrBitmap: 'Address of MSR bitmaps',
  tscOffset: 'TSC offset',
  tscMultiplier: 'TSC multiplier',
  cr0Mask: 'CR0 guest/host mask',
  cr0Shadow: 'CR0 read shadow',
  cr4Mask: 'CR4 guest/host mask',
  cr4Shadow: 'CR4 read shadow',
  cr3TargetCount: 'CR3-target count',
  cr3Target0: 'CR3-target value 0',
  cr3Target1: 'CR3-target value 1',
  cr3Target2: 'CR3-target value 2',
  cr3Target3: 'CR3-target value 3',
  virtualApicPage: 'Virtual-APIC address',
  apicAccessPage: 'APIC-access address',
  tprThreshold: 'TPR threshold',
  eoiExit0: 'EOI-exit bitmap 0',
  eoiExit1: 'EOI-exit bitmap 1',
  eoiExit2: 'EOI-exit bitmap 2',
  eoiExit3: 'EOI-exit bitmap 3',
  guestInterruptStatus: 'Guest interrupt status',
  postedVector: 'Posted-interrupt notification vector',
  postedDescriptor: 'Posted-interrupt descriptor address',
  eptPointer: 'EPT pointer (EPTP)',
  vpid: 'Virtual-processor identifier (VPID)',
  pauseGap: 'PLE_Gap',
  pauseWindow: 'PLE_Window',
  vmFunctions: 'VM-function controls',
  eptpList: 'EPTP-list address',
  eptpIndex: 'EPTP index',
  pmlAddress: 'PML address',
  vmreadBitmap: 'VMREAD-bitmap address',
  vmwriteBitmap: 'VMWRITE-bitmap address',
  veInformation: 'Virtualization-exception information address',
  xssBitmap: 'XSS-exiting bitmap',
  linkPointer: 'VMCS link pointer',
} as const satisfies Readonly<Record<string, FieldName>>;

export type LoadedRegister = keyof typeof LOADED;

/** What a guest has that no field says. */
const STATE = {
  /** An event to inject: the VM-entry interruption-information field, while its bit 31 is set. */
  injection: 32,
  injectionErrorCode: 32,
  injectionLength: 32,
  /** VM exits that wait for the boundary: bits of PENDING_EXIT. */
  pendingExits: 32,
  /** On the processor's clock in cycles; all ones: the preemption timer is not active. */
  preemptionDeadline: 64,
  /** 1: virtual-NMI blocking. */
  virtualNmiBlocking: 32,
  /** Of the last PAUSE at CPL 0, and of the first one of its loop, in time stamps. */
  lastPause: 64,
  firstPause: 64,
} as const;

type StateRegister = keyof typeof STATE;
export type GuestRegister = LoadedRegister | StateRegister;

const fieldOf = (name: LoadedRegister): FieldName => LOADED[name];
const isWide = (name: LoadedRegister): boolean => fieldNamed(fieldOf(name)).bytes === 8;

/** Registers of each processor. */
export const GUEST_REGISTERS: Readonly<Record<string, PluginRegister>> = {
  ...Object.fromEntries(
    (Object.keys(LOADED) as LoadedRegister[]).map((name) => [name, { width: isWide(name) ? 64 : 32 } as const]),
  ),
  ...Object.fromEntries(Object.entries(STATE).map(([name, width]) => [name, { width }])),
};

/** The registers that VM entry loads, each with its field. */
export const LOADED_FIELDS = (Object.entries(LOADED) as [LoadedRegister, FieldName][]).map(
  ([name, field]) => [name, fieldNamed(field)] as const,
);

/** The slot of a register of the guest on a machine. */
export const slotOfGuest = (cpu: Cpu, name: GuestRegister): number => cpu.definition.registers.slot(`vmx.${name}`);

/** Bits 31:0 of a register, unsigned. */
export const guestWord = (cpu: Cpu, name: GuestRegister): number =>
  (cpu.words[slotOfGuest(cpu, name) * 2] as number) >>> 0;

export const guestValue = (cpu: Cpu, name: GuestRegister): bigint => cpu.readSlot(slotOfGuest(cpu, name));

export function setGuestValue(cpu: Cpu, name: GuestRegister, value: bigint | number): void {
  cpu.writeSlot(slotOfGuest(cpu, name), BigInt(value));
}

const REGISTER_OF: Readonly<Record<string, GuestRegister>> = Object.fromEntries(
  LOADED_FIELDS.map(([name, field]) => [field.name, name]),
);

/** Whether a control is 1 for the guest that the processor runs: never in VMX root operation. */
export function isOn(cpu: Cpu, { bit, group }: Control): boolean {
  if (!isInGuestMode(cpu)) return false;
  if (group.activatedBy !== undefined && !isOn(cpu, group.activatedBy)) return false;
  const slot = slotOfGuest(cpu, REGISTER_OF[group.field] as GuestRegister);
  return (((cpu.words[slot * 2 + (bit >> 5)] as number) >>> (bit & 31)) & 1) === 1;
}
