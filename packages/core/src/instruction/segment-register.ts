// SDM, "MOV—Move", PUSH and POP with a segment register, and SWAPGS.

import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { isCanonicalAddress } from '../memory/canonical.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';
import { operandAt, privileged } from './privilege.js';
import { loadSegment } from './segment-load.js';
import { popped, pushed, setStackTop, stackOperandBytes } from './stack-access.js';

const LOADABLE = ['ES', 'SS', 'DS', 'FS', 'GS'] as const;
type Loadable = (typeof LOADABLE)[number];

const isLoadable = (name: string | undefined): name is Loadable => LOADABLE.some((register) => register === name);
const SELECTORS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'].map((name) => `${name}.selector`);
const SEGMENTS = LOADABLE.flatMap((name) =>
  ['selector', 'base', 'limit', 'attributes'].map((part) => `${name}.${part}`),
);

/** Loads of SS hold interrupts back until the stack pointer that belongs to it is loaded too. */
function load(cpu: Cpu, register: Loadable, selector: bigint): void {
  loadSegment(cpu, register, Number(selector & 0xffffn));
  if (register === 'SS') cpu.interruptShadow = 'movSs';
}

export const MOV_SREG = defineInstruction({
  mnemonic: 'MOV Sreg',
  manual: sdm('MOV—Move'),
  reads: [...SELECTORS, 'GDTR.base', 'GDTR.limit', 'LDTR.base', 'LDTR.limit'],
  writes: SEGMENTS,
  flags: 'unaffected',
  faults: [
    {
      id: 'core.mov-sreg.cs',
      when: (_cpu, operands) => operands[0]?.register === 'CS',
      raise: UD,
      explain: 'MOV cannot load CS: use a far JMP, CALL or RET.',
    },
  ],
  effect(cpu, operands) {
    const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
    if (isLoadable(to.register)) load(cpu, to.register, from.read());
    else to.write(from.read()); // a general register is zero-extended, memory takes 16 bits
  },
});

export const PUSH_SREG = defineInstruction({
  mnemonic: 'PUSH Sreg',
  manual: sdm('PUSH—Push Word, Doubleword, or Quadword Onto the Stack'),
  reads: [...SELECTORS, 'RSP'],
  writes: ['RSP'],
  flags: 'unaffected',
  effect(cpu, operands, operandWidth) {
    // Wider pushes are zero-extended; some processors write 16 bits only and leave the rest of a doubleword.
    setStackTop(cpu, pushed(cpu, stackOperandBytes(cpu, operandWidth), [operandAt(operands, 0).read()]));
  },
});

export const POP_SREG = defineInstruction({
  mnemonic: 'POP Sreg',
  manual: sdm('POP—Pop a Value From the Stack'),
  reads: ['RSP', 'GDTR.base', 'GDTR.limit', 'LDTR.base', 'LDTR.limit'],
  writes: [...SEGMENTS, 'RSP'],
  flags: 'unaffected',
  effect(cpu, operands, operandWidth) {
    const { values, top } = popped(cpu, stackOperandBytes(cpu, operandWidth), 1);
    const { register } = operandAt(operands, 0);
    if (isLoadable(register)) load(cpu, register, values[0] ?? 0n);
    setStackTop(cpu, top);
  },
});

export const SWAPGS = defineInstruction({
  mnemonic: 'SWAPGS',
  manual: sdm('SWAPGS—Swap GS Base Register'),
  reads: ['GS.base', 'IA32_KERNEL_GS_BASE', 'SS.attributes'],
  writes: ['GS.base', 'IA32_KERNEL_GS_BASE'],
  flags: 'unaffected',
  faults: [
    {
      id: 'core.swapgs.mode',
      when: (cpu) => cpu.mode !== '64-bit',
      raise: UD,
      explain: 'SWAPGS is recognised in 64-bit mode only.',
    },
    privileged('SWAPGS'),
  ],
  effect(cpu) {
    const [gs, kernel] = [cpu.read('GS.base'), cpu.read('IA32_KERNEL_GS_BASE')];
    cpu.set('GS.base', kernel);
    cpu.set('IA32_KERNEL_GS_BASE', gs);
  },
});

const BASES = { RDFSBASE: 'FS.base', RDGSBASE: 'GS.base', WRFSBASE: 'FS.base', WRGSBASE: 'GS.base' } as const;

/** Both need CR4.FSGSBASE; a write of 64 bits must be canonical. */
export const FSGSBASE = (Object.keys(BASES) as (keyof typeof BASES)[]).map((mnemonic) => {
  const reading = mnemonic.startsWith('RD');
  const id = `core.${mnemonic.toLowerCase()}`;
  return defineInstruction({
    mnemonic,
    manual: sdm(reading ? 'RDFSBASE/RDGSBASE—Read FS/GS Segment Base' : 'WRFSBASE/WRGSBASE—Write FS/GS Segment Base'),
    reads: reading ? [BASES[mnemonic], 'CR4.FSGSBASE'] : ['CR4.FSGSBASE'],
    writes: reading ? [] : [BASES[mnemonic]],
    flags: 'unaffected',
    faults: [
      {
        id: `${id}.fsgsbase`,
        fields: ['CR4.FSGSBASE'],
        when: (cpu) => !cpu.CR4.FSGSBASE || cpu.mode !== '64-bit',
        raise: UD,
        explain: `${mnemonic} is recognised in 64-bit mode while CR4.FSGSBASE is 1.`,
      },
      {
        id: `${id}.canonical`,
        when: (cpu, operands) => !reading && !isCanonicalAddress(cpu, operandAt(operands, 0).read()),
        raise: GP(0),
        explain: 'A segment base must be canonical.',
      },
    ],
    effect(cpu, operands) {
      const operand = operandAt(operands, 0);
      if (reading) operand.write(cpu.read(BASES[mnemonic]));
      else cpu.set(BASES[mnemonic], operand.read());
    },
  });
});
