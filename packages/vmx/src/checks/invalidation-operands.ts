// What INVEPT and INVVPID share: the type in the register operand, the descriptor of 128 bits in memory, and the checks
// that come before the descriptor is looked at. The type has 64 bits in 64-bit mode, else 32.
import { type ProcessorProfile, UD } from '@retrovisor/core';
import { allowsOne } from '../capability-msrs.js';
import type { Control } from '../controls.js';
import { type EptVpidCapability, reports } from '../ept/eptp.js';
import { fail } from '../status.js';
import {
  type CheckRow,
  memoryAccess,
  type Operation,
  operandOf,
  placeOf,
  privileged,
  recognized,
  registerOperand,
} from './instruction-conditions.js';

/** Operands in encoding order; the caller of an intrinsic gives the descriptor's halves. */
const [TYPE, DESCRIPTOR, UPPER_HALF] = [0, 1, 2];
const DESCRIPTOR_BYTES = 16;

/** An instruction that invalidates cached mappings. */
export interface InvalidationInstruction {
  readonly mnemonic: 'INVEPT' | 'INVVPID';
  /** Reported where the instruction exists; the control must be allowed too. */
  readonly capability: EptVpidCapability;
  readonly control: Control;
  /** What reports each type, by number. */
  readonly types: readonly (EptVpidCapability | undefined)[];
}

/** The bits of the descriptor. */
export interface InvalidationDescriptor {
  readonly low: bigint;
  readonly high: bigint;
}

export const typeOf = (execution: Operation): bigint => operandOf(execution, TYPE).read();

export function descriptorOf(execution: Operation): InvalidationDescriptor {
  const descriptor = operandOf(execution, DESCRIPTOR);
  const upperHalf = execution.operands[UPPER_HALF];
  if (upperHalf !== undefined) return { low: descriptor.read(), high: upperHalf.read() };
  const bytes = new DataView(descriptor.readBytes(DESCRIPTOR_BYTES).buffer);
  return { low: bytes.getBigUint64(0, true), high: bytes.getBigUint64(8, true) };
}

/** Where type and descriptor were read. */
export const descriptorFields = (execution: Operation): readonly string[] => [
  ...placeOf(execution, TYPE),
  ...placeOf(execution, DESCRIPTOR),
];

function supportsType(profile: ProcessorProfile, { types }: InvalidationInstruction, type: bigint): boolean {
  return type < BigInt(types.length) && reports(profile, types[Number(type)]);
}

/** Whether the type is one that the processor has: only then does the descriptor matter. */
export const hasSupportedType =
  (instruction: InvalidationInstruction) =>
  (execution: Operation): boolean =>
    supportsType(execution.cpu.profile, instruction, typeOf(execution));

/** The rows up to the reading of the descriptor. */
export function invalidationChecks(instruction: InvalidationInstruction): readonly CheckRow[] {
  const { mnemonic, capability, control } = instruction;
  const prefix = `vmx.${mnemonic.toLowerCase()}`;
  return [
    { ...registerOperand(mnemonic, DESCRIPTOR), note: 'Never decoded: with ModRM.mod = 3 the bytes are invalid.' },
    {
      id: `${prefix}.unsupported`,
      fields: ['IA32_VMX_EPT_VPID_CAP', 'IA32_VMX_PROCBASED_CTLS2'],
      holds: ({ cpu }) => allowsOne(cpu.profile, control) && reports(cpu.profile, capability),
      result: UD,
      explain: `${mnemonic} exists only where IA32_VMX_EPT_VPID_CAP reports it: look there before using it.`,
    },
    ...recognized(mnemonic),
    privileged(mnemonic),
    {
      id: `${prefix}.type`,
      fields: (execution) => [...placeOf(execution, TYPE), 'IA32_VMX_EPT_VPID_CAP'],
      holds: hasSupportedType(instruction),
      result: fail(28),
      explain: `The type of ${mnemonic}, in the register operand, must be one that IA32_VMX_EPT_VPID_CAP reports.`,
      note: 'Bochs reads the descriptor first: there its fault hides this failure. KVM looks at the type first, as here.',
    },
    ...memoryAccess({
      mnemonic,
      index: DESCRIPTOR,
      access: 'read',
      bytes: DESCRIPTOR_BYTES,
      checks: ['mem-segment', 'mem-page'],
    }),
  ];
}
