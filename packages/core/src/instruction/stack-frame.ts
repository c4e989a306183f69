// SDM, "ENTER—Make Stack Frame for Procedure Parameters".
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';
import { operandAt } from './privilege.js';
import { moved, setStackTop, stackLoad, stackOperandBytes, stackProbe, stackStore, stackTop } from './stack-access.js';
import { stackWidth } from './stack-cursor.js';

const MOST_LEVELS = 32;

export const ENTER = defineInstruction({
  mnemonic: 'ENTER',
  manual: sdm('ENTER—Make Stack Frame for Procedure Parameters'),
  reads: ['RSP', 'RBP'],
  writes: ['RSP', 'RBP'],
  flags: 'unaffected',
  effect(cpu, operands, operandWidth) {
    const bytes = stackOperandBytes(cpu, operandWidth);
    const size = Number(operandAt(operands, 0).read());
    const levels = Number(operandAt(operands, 1).read()) % MOST_LEVELS;
    const frame = moved(cpu, stackTop(cpu), -bytes);
    stackStore(cpu, frame, bytes, cpu.RBP);
    const display = levels === 0 ? frame : copyDisplay(cpu, bytes, levels, frame);
    const top = moved(cpu, display, -size);
    stackProbe(cpu, top);
    cpu.RBP = bytes === 2 ? (cpu.RBP & ~0xffffn) | (frame & 0xffffn) : BigInt.asUintN(bytes * 8, frame);
    setStackTop(cpu, top);
  },
});

/** Pushes the frame pointers of the enclosing procedures, found below RBP, and then the new one; returns the top. */
function copyDisplay(cpu: Cpu, bytes: 2 | 4 | 8, levels: number, frame: bigint): bigint {
  let outer = BigInt.asUintN(stackWidth(cpu), cpu.RBP);
  let top = frame;
  for (let level = 1; level < levels; level++) {
    outer = moved(cpu, outer, -bytes);
    top = moved(cpu, top, -bytes);
    stackStore(cpu, top, bytes, stackLoad(cpu, outer, bytes));
  }
  top = moved(cpu, top, -bytes);
  stackStore(cpu, top, bytes, frame);
  return top;
}
