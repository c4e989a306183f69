// SDM, "I/O Instructions": IN, OUT, INS and OUTS.
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type IntrinsicShape } from './define.js';
import type { Operand } from './operand.js';
import { inputFromPort, outputToPort, portPermission } from './port-access.js';
import { operandAt } from './privilege.js';

/** `inb(port)`, `inw(port)`, `inl(port)`. */
const input = (width: 8 | 16 | 32) =>
  ({
    operands: [
      { out: true, width },
      { in: 'port', width: 16 },
    ],
  }) as const satisfies IntrinsicShape;
/** `outb(port, value)`, `outw(port, value)`, `outl(port, value)`. */
const output = (width: 8 | 16 | 32) =>
  ({
    operands: [
      { in: 'port', width: 16 },
      { in: 'value', width },
    ],
  }) as const satisfies IntrinsicShape;

export const IN = defineInstruction({
  mnemonic: 'IN',
  manual: sdm('IN—Input From Port'),
  reads: ['RDX', 'RFLAGS', 'SS.attributes', 'TR.base', 'TR.limit'],
  writes: ['RAX'],
  flags: 'unaffected',
  faults: [portPermission('IN', 1)],
  intrinsics: { inb: input(8), inw: input(16), inl: input(32) },
  effect: inputFromPort,
});

export const OUT = defineInstruction({
  mnemonic: 'OUT',
  manual: sdm('OUT—Output to Port'),
  reads: ['RDX', 'RAX', 'RFLAGS', 'SS.attributes', 'TR.base', 'TR.limit'],
  writes: [],
  flags: 'unaffected',
  faults: [portPermission('OUT', 0)],
  intrinsics: { outb: output(8), outw: output(16), outl: output(32) },
  effect: outputToPort,
});

/** Moves the index register of a string operand past it, up or down as RFLAGS.DF says. */
function advance(cpu: Cpu, { index, width }: Operand): void {
  const bytes = BigInt(width / 8);
  index?.write(index.read() + (cpu.RFLAGS.DF ? -bytes : bytes));
}

/**
 * One iteration; the runner repeats it. Where a repeated one has a count of 0 nothing is checked, as the pseudocode of REP
 * has it; some processors look at the permission first.
 */
export const STRING_IO = (['B', 'W', 'D'] as const).flatMap((size) => [
  defineInstruction({
    mnemonic: `INS${size}`,
    manual: sdm('INS/INSB/INSW/INSD—Input from Port to String'),
    repeatable: true,
    reads: ['RDX', 'RDI', 'RFLAGS', 'SS.attributes', 'TR.base', 'TR.limit'],
    writes: ['RDI'],
    flags: 'unaffected',
    faults: [portPermission(`INS${size}`, 1)],
    effect(cpu, operands) {
      const string = operandAt(operands, 0);
      string.probeWrite(); // a port is not read, which may change a device, for an instruction that then faults
      const taken = inputFromPort(cpu, operands);
      if (taken === undefined) advance(cpu, string);
      return taken;
    },
  }),
  defineInstruction({
    mnemonic: `OUTS${size}`,
    manual: sdm('OUTS/OUTSB/OUTSW/OUTSD—Output String to Port'),
    repeatable: true,
    reads: ['RDX', 'RSI', 'RFLAGS', 'SS.attributes', 'TR.base', 'TR.limit'],
    writes: ['RSI'],
    flags: 'unaffected',
    faults: [portPermission(`OUTS${size}`, 0)],
    effect(cpu, operands) {
      const taken = outputToPort(cpu, operands);
      if (taken === undefined) advance(cpu, operandAt(operands, 1));
      return taken;
    },
  }),
]);
