// Conditions that the VMX instructions share (SDM, "VMX Instructions"): the rows are made from the instruction's name,
// and each instruction's table states their order. In VMX non-root operation they cause exits before these rows are reached
// (exit/instruction-exits.ts).
import { type CheckResult, type Execution, GP, InternalError, type Operand, type RuleRow, UD } from '@retrovisor/core';
import { isInVmxOperation, vmxLocation } from '../vmx-operation.js';

/** A row of an instruction's table. */
export type CheckRow = RuleRow<Execution, CheckResult>;

/** What both a check and an effect have. */
export type Operation = Pick<Execution, 'cpu' | 'operands'>;

/** An explicit operand that the instruction's encoding always has. */
export function operandOf({ operands }: Operation, index: number): Operand {
  const operand = operands[index];
  if (operand === undefined) throw new InternalError(`operand ${index} of a VMX instruction is missing`);
  return operand;
}

/** Where an operand comes from, to be blamed for its value: nothing if the caller of an intrinsic gave it. */
export function placeOf(execution: Operation, index: number): readonly string[] {
  const place = operandOf(execution, index).place();
  return place === undefined ? [] : [place];
}

/** `vmx.vmxon.pe` for VMXON and `pe`. */
const idOf = (mnemonic: string, check: string) => `vmx.${mnemonic.toLowerCase()}.${check}`;

export const registerOperand = (mnemonic: string, index = 0): CheckRow => ({
  id: idOf(mnemonic, 'register-operand'),
  holds: (execution) => operandOf(execution, index).kind !== 'register',
  result: UD,
  explain: `${mnemonic} takes its operand from memory: with ModRM.mod = 3 the opcode is another instruction or none.`,
  note: 'Never decoded: with ModRM.mod = 3 the bytes are RDRAND, RDSEED, SENDUIPI, RDPID or invalid.',
});

export const notInVmx = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'not-in-vmx'),
  fields: ({ cpu }) => [vmxLocation(cpu, 'inVmxOperation')],
  holds: ({ cpu }) => isInVmxOperation(cpu),
  result: UD,
  explain: `${mnemonic} exists only in VMX operation: execute VMXON on this logical processor first.`,
});

export const protectedMode = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'pe'),
  fields: ['CR0.PE'],
  holds: ({ cpu }) => cpu.CR0.PE,
  result: UD,
  explain: `${mnemonic} is not recognised in real-address mode: set CR0.PE.`,
});

export const notVirtual8086 = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'v86'),
  fields: ['RFLAGS.VM'],
  holds: ({ cpu }) => !cpu.RFLAGS.VM,
  result: UD,
  explain: `${mnemonic} is not recognised in virtual-8086 mode: leave it through an interrupt or exception.`,
});

export const notCompatibility = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'compat'),
  fields: ['IA32_EFER.LMA', 'CS.attributes'],
  holds: ({ cpu }) => !cpu.EFER.LMA || cpu.codeAttribute('L'),
  result: UD,
  explain: `${mnemonic} is not recognised in compatibility mode: switch to a code segment with CS.L = 1.`,
});

export const privileged = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'cpl'),
  fields: ['SS.attributes'], // CPL is SS.DPL
  holds: ({ cpu }) => cpu.CPL === 0,
  result: GP(0),
  explain: `${mnemonic} is privileged: execute it with CPL 0.`,
});

/** PE, V86 and compatibility mode, in the order of every instruction but VMXON. */
export const recognized = (mnemonic: string): readonly CheckRow[] => [
  notInVmx(mnemonic),
  protectedMode(mnemonic),
  notVirtual8086(mnemonic),
  notCompatibility(mnemonic),
];

/** What an instruction does with its memory operand. */
interface MemoryRows {
  readonly mnemonic: string;
  /** Which operand, in encoding order. */
  readonly index: number;
  readonly access: 'read' | 'write';
  /** Of an operand wider than 64 bits: all of them are read. */
  readonly bytes?: number;
  /** The ids of the two rows. */
  readonly checks: readonly [segment: string, page: string];
  readonly note?: string;
}

/**
 * The two rows in which an operand is read, or found to be writable: first the segment, then the page. The exceptions
 * are those that the access raises, so the results here only say which they may be.
 */
export function memoryAccess({
  mnemonic,
  index,
  access,
  bytes,
  checks: [segment, page],
  note,
}: MemoryRows): readonly CheckRow[] {
  const noted = note === undefined ? {} : { note };
  return [
    {
      id: idOf(mnemonic, segment),
      holds: (execution) => {
        operandOf(execution, index).linear(access);
        return true;
      },
      result: GP(0),
      explain: `The operand of ${mnemonic} must be canonical and within its segment's limit and type: #SS(0) in SS.`,
      ...noted,
    },
    {
      id: idOf(mnemonic, page),
      holds: (execution) => {
        const operand = operandOf(execution, index);
        if (access === 'write') operand.probeWrite();
        else if (bytes === undefined) operand.read();
        else operand.readBytes(bytes);
        return true;
      },
      result: { kind: 'fault', vector: '#PF' },
      explain: `The operand of ${mnemonic} must lie on a present page that the processor may ${access}.`,
      ...noted,
    },
  ];
}

/** The memory rows of VMXON, VMCLEAR and VMPTRLD, which read a 64-bit physical address. */
export const pointerOperand = (mnemonic: string): readonly CheckRow[] =>
  memoryAccess({ mnemonic, index: 0, access: 'read', checks: ['mem-segment', 'mem-page'] });
